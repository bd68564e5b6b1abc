"""Files of weights, read as NumPy arrays: whoever only writes needs no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ecgvec._typing import AnyArray, Float32Array
from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.charset import CHARACTERS
from ecgvec.handwriting.training.corpus import Style

FORMAT = "ecgvec-handwriting-1"
SHIPPED = Path(__file__).resolve().parent / "weights" / "best.safetensors"


@dataclass(frozen=True, eq=False)
class Weights:
    """The tensors of a network by name, the number of its ``mixtures``, its ``styles``, and what else its file says."""

    tensors: Mapping[str, Float32Array]
    mixtures: int
    styles: tuple[Style, ...]
    about: Mapping[str, Any]


def read_arrays(path: Path, kind: str = FORMAT) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """(arrays by name, about) of a file of weights of this format; SourceError where it is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise SourceError(f"{path} is no safetensors file ({one_line(error)}): train or fetch it anew") from error
    if about.get("format") != kind:
        raise SourceError(f"{path} has the format '{about.get('format')}', not '{kind}': train or fetch it anew")
    return arrays, about


def read_weights(path: Path) -> Weights:
    """The weights of a network to write with; SourceError where the file holds none for these characters."""
    arrays, about = read_arrays(path)
    try:
        if about["characters"] != CHARACTERS:
            raise ValueError("its characters are not those of this version")
        styles = tuple(Style(**style) for style in about["styles"])
        return Weights(arrays, int(about["sizes"]["mixtures"]), styles, about)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} holds no handwriting model ({one_line(error)}): train or fetch it anew") from error
