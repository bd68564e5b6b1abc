"""Named random streams: every draw has a name of its own, so adding one leaves all others as they were."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def stream(seed: int, record_id: str, variant: int, name: str) -> np.random.Generator:
    """A NumPy generator keyed by names, not by the order of calls.

    ``seed`` is the run's seed, ``record_id`` the record (or one window of it), ``variant`` the number of the
    variant and ``name`` the draw, as in ``"look/grid_color"``. Equal arguments give equal streams on every
    machine and for any number of workers; streams with different arguments are independent (their keys are
    BLAKE2b digests of the arguments, and PCG64DXSM is seeded through NumPy's SeedSequence).
    """
    key = json.dumps([int(seed), record_id, int(variant), name], separators=(",", ":"))
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64DXSM(int.from_bytes(digest, "little")))
