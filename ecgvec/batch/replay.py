"""An image made again from its JSON."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ecgvec.batch.local import find_input
from ecgvec.errors import RecordError, SourceError
from ecgvec.export.formats import FORMATS
from ecgvec.export.native import read_sidecar
from ecgvec.export.write import Writer
from ecgvec.pipeline import render_plan
from ecgvec.plan.model import Plan
from ecgvec.record.model import Record
from ecgvec.record.read import read_record


def replay_image(sidecar: Path, source: Path | None, out: Path) -> dict[str, bool]:
    """Render the image of ``sidecar`` anew into ``out``: file name -> whether it has the same bytes as before.

    ``source`` is the record or the input folder of its run (default: as the run file says). SourceError or
    RecordError where JSON or record are missing or wrong.
    """
    try:
        text = sidecar.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{sidecar} cannot be read ({error}): give the JSON beside an image") from None
    plan, hashes = read_sidecar(text, str(sidecar))
    sheet = render_plan(_find_record(plan, sidecar, source), plan)
    names = [name for name, part in FORMATS if set(_names(part.files(sheet, plan.stem))) <= set(hashes)]
    written = Writer(out, names).write(sheet)
    before = {**hashes, sidecar.name: hashlib.sha256(text.encode()).hexdigest()}
    after = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in written}
    return {name: digest == before.get(name) for name, digest in after.items()}


def _names(files: dict[str, bytes]) -> list[str]:
    return [name.rsplit("/", 1)[-1] for name in files]


def _find_record(plan: Plan, sidecar: Path, source: Path | None) -> Record:
    folder = source if source is not None else find_input(sidecar)
    if folder is None:
        raise SourceError(f"no run file lies beside {sidecar} or above: say where the record is with -i")
    path = folder / plan.record.path if folder.is_dir() else folder
    try:
        return read_record(path)
    except RecordError as error:
        if source is not None:
            raise
        raise RecordError(
            f"{error} (the record of {sidecar.name} was looked for there; say where it is with -i)"
        ) from None
