"""The run file, which says where the input of a run lay, and images made again from their JSON."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from pathlib import Path
from typing import Any

from ecgvec._version import __version__
from ecgvec.batch.jobs import read_from
from ecgvec.errors import RecordError, SourceError, one_line
from ecgvec.export.files import write_file
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.export.read import load
from ecgvec.export.storage import Place, Url, place
from ecgvec.export.write import Writer
from ecgvec.pipeline import render_plan
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import Recipe
from ecgvec.record.model import Record
from ecgvec.record.read import read_record


def replay_image(sidecar: Path, source: Path | None, out: Path) -> dict[str, bool]:
    """Render the image of ``sidecar`` anew into ``out``: file name -> whether it has the same bytes as before.

    ``source`` is the record or the input folder of its run (default: as the run file says). SourceError or
    RecordError where JSON or record are missing or wrong.
    """
    page = load(sidecar, samples=False)
    plan, hashes = page.plan, page.files
    sheet = render_plan(_find_record(plan, page.path, source), plan)
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
    before = {**hashes, page.path.name: hashlib.sha256(page.path.read_bytes()).hexdigest()}
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


RUN_FILE = "ecgvec-run.json"


def relative_input(folder: Place, out: Place) -> str | None:
    """Where the input lies as seen from the output, with forward slashes, or its URL. None for a folder that is far
    from an output at a URL: that may be read by people who need not know the folders of this machine."""
    if isinstance(folder, Url):
        return str(folder)
    if isinstance(out, Url):
        return None
    return Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix()


def write_run_file(folder: Place, out: Place, recipe: Recipe) -> None:
    """Say how the folder was made: the recipe, and where the input lay as seen from the output. ``replay`` reads it.

    A folder may be filled by several runs: each different one is kept.
    """
    path = out / RUN_FILE
    run = {
        "program_version": __version__,
        "input": relative_input(folder, out),
        "recipe": recipe.model_dump(mode="json"),
    }
    runs = _read_runs(path)
    document = {"format": "ecgvec-run", "runs": [*runs, *([run] if run not in runs else [])]}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_file(path, text.encode("utf-8", "backslashreplace"))


def _read_runs(path: Place) -> list[dict[str, Any]]:
    """The runs of a run file; none where there is no file."""
    try:
        content = _content(path)
        runs = [] if content is None else list(json.loads(content.decode())["runs"])
        if not all(isinstance(run["input"], str | None) for run in runs):
            raise TypeError("an input is no text")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f"{path} is not a whole run file ({one_line(error)}): "
            "remove it, and say where records are with -i in a replay"
        ) from None
    return runs


def _content(path: Place) -> bytes | None:
    if isinstance(path, Url):
        return path.read()
    return path.read_bytes() if path.is_file() else None


def find_inputs(sidecar: Path) -> list[Place]:
    """The input folders of the runs that filled the folder of ``sidecar``, newest first, as far as the run file there
    or above tells; none where there is no run file. SourceError where it is damaged."""
    for folder in sidecar.resolve().parents:
        if (folder / RUN_FILE).is_file():
            told = [run["input"] for run in reversed(_read_runs(folder / RUN_FILE)) if run["input"] is not None]
            return [_seen_from(folder, source) for source in told]
    return []


def _seen_from(folder: Path, source: str) -> Place:
    found = place(source)
    return Path(os.path.normpath(folder / found)) if isinstance(found, Path) else found
