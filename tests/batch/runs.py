"""Small records for runs over folders, and what such a run has made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb


def write_record(where: Path, name: str, seconds: float, leads: tuple[str, ...] = ("I", "II"), fs: int = 100) -> None:
    where.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(seconds * fs)) / fs
    signals = np.column_stack([np.sin(2 * np.pi * (i + 1) * t) for i in range(len(leads))])
    wfdb.wrsamp(
        name, fs=fs, units=["mV"] * len(leads), sig_name=list(leads), p_signal=signals, fmt=["16"] * len(leads),
        write_dir=str(where),
    )  # fmt: skip


def stems(out: Path) -> list[str]:
    return sorted(
        p.relative_to(out).with_suffix("").as_posix()
        for p in out.rglob("*.json")
        if p.name != "ecgvec-run.json" and "kit" not in p.parts
    )


def twelve_records(folder: Path) -> Path:
    """In three folders, one of them longer, one without its signals."""
    for number in range(12):
        write_record(folder / f"s{number % 3}", f"r{number:02d}", 21 if number == 5 else 10)
    (folder / "s0" / "r03.dat").unlink()
    return folder
