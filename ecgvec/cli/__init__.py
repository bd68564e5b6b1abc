"""The command line: parse, call a plain function, report. Heavy modules are imported inside the commands."""

from __future__ import annotations

import sys

from ecgvec.errors import EcgvecError, printable


def main() -> None:
    """Run the command line. Exit code 2 for bad input, 1 for a run in which some records failed."""
    from ecgvec.cli.app import app

    arguments = [a for a in sys.argv[1:] if a != "--traceback"]
    try:
        app(arguments, prog_name="ecgvec")
    except EcgvecError as error:
        if "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"ecgvec: {printable(str(error))}\n")
        sys.exit(2)
