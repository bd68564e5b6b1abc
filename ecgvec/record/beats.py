"""Beats from a record's annotation file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Beats:
    """``t`` (n,) seconds from the record's start, ascending; ``symbols`` the WFDB beat symbol of each (N, V, ...)."""

    t: NDArray[np.float64]
    symbols: tuple[str, ...]
    source: str
