"""How a folder of images was made: ``ecgvec-run.json``, for `ecgvec replay` and for people."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ecgvec._version import __version__
from ecgvec.errors import SourceError, one_line
from ecgvec.export.files import write_file
from ecgvec.export.storage import Place, Url, place
from ecgvec.recipe.recipe import Recipe

RUN_FILE = "ecgvec-run.json"


def input_of(folder: Place, out: Place) -> str | None:
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
        "input": input_of(folder, out),
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
