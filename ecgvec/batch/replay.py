"""An image made again from its JSON."""

from __future__ import annotations

import hashlib
import posixpath
from pathlib import Path

from ecgvec.batch.fetch import read_from
from ecgvec.batch.runfile import find_inputs
from ecgvec.errors import RecordError, SourceError
from ecgvec.export.formats import FORMATS, Files, Format
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
    here = posixpath.dirname(plan.stem_path) or "."

    def listed(files: Files) -> set[str]:
        return {posixpath.relpath(name, here) for name in files}

    def was_made(part: Format) -> bool:
        if part.ending is not None:
            return bool(listed({plan.stem_path + part.ending: b""}) & set(hashes))
        files = listed(part.files(sheet, plan.stem_path))
        return bool(files) and files <= set(hashes)

    names = [name for name, part in FORMATS if was_made(part)]
    written = Writer(out, names).write(sheet).files
    before = {**hashes, sidecar.name: hashlib.sha256(text.encode()).hexdigest()}
    result = {}
    for file in written:
        result[file.path] = file.sha256 == before.get(posixpath.relpath(file.path, here))
    return result


def _find_record(plan: Plan, sidecar: Path, source: Path | None) -> Record:
    if source is not None:
        return read_record(source / plan.record.path if source.is_dir() else source)
    folders = find_inputs(sidecar)
    if not folders:
        raise SourceError(
            f"no run file beside {sidecar} or above tells where records lay: say where the record is with -i"
        )
    found: Record | None = None
    failed: RecordError | None = None
    for folder in folders:
        try:
            found = read_from(folder, plan.record.path)
        except RecordError as error:
            failed = failed or error
            continue
        if found.digest == plan.record.digest:
            return found
    if found is not None:
        return found  # the pipeline says what is wrong with it
    raise RecordError(f"{failed} (the record of {sidecar.name} was looked for there; say where it is with -i)")
