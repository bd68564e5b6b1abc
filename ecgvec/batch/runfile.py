"""How a folder of images was made: ``ecgvec-run.json``, for `ecgvec replay` and for people."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import ecgvec
from ecgvec.errors import SourceError, one_line
from ecgvec.export.files import write_file
from ecgvec.recipe import Recipe

RUN_FILE = "ecgvec-run.json"


def input_of(folder: Path, out: Path) -> str:
    """Where the input lies as seen from the output, with forward slashes."""
    return Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix()


def write_run_file(folder: Path, out: Path, recipe: Recipe) -> None:
    """Say how the folder was made: the recipe, and where the input lay as seen from the output. ``replay`` reads it.

    A folder may be filled by several runs: each different one is kept.
    """
    path = out / RUN_FILE
    run = {
        "program_version": ecgvec.__version__,
        "input": input_of(folder, out),
        "recipe": recipe.model_dump(mode="json"),
    }
    runs = _read_runs(path) if path.is_file() else []
    document = {"format": "ecgvec-run", "runs": [*runs, *([run] if run not in runs else [])]}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_file(path, text.encode("utf-8", "backslashreplace"))


def _read_runs(path: Path) -> list[dict[str, Any]]:
    try:
        runs = list(json.loads(path.read_text(encoding="utf-8"))["runs"])
        if not all(isinstance(run["input"], str) for run in runs):
            raise TypeError("an input is no text")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f"{path} is not a whole run file ({one_line(error)}): "
            "remove it, and say where records are with -i in a replay"
        ) from None
    return runs


def find_inputs(sidecar: Path) -> list[Path]:
    """The input folders of the runs that filled the folder of ``sidecar``, newest first, from the run file there or
    above; none where there is no run file. SourceError where it is damaged."""
    for folder in sidecar.resolve().parents:
        if (folder / RUN_FILE).is_file():
            runs = _read_runs(folder / RUN_FILE)
            return [Path(os.path.normpath(folder / run["input"])) for run in reversed(runs)]
    return []
