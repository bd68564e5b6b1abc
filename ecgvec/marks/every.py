"""All marks that come with ecgvec: importing this module fills the registry."""

from ecgvec.marks import bars, calipers, felt, pen, pointing, stamp
from ecgvec.marks.base import MARKS

__all__ = ["MARKS", "bars", "calipers", "felt", "pen", "pointing", "stamp"]
