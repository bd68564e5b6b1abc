"""``python -m ecgvec``: the command line."""

from ecgvec.cli import main

main()
