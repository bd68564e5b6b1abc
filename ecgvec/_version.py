"""The version of ecgvec, written once."""

__version__ = "0.1.0"
