"""Which windows of a record become images."""

from __future__ import annotations

import math

from ecgvec.errors import RecordError
from ecgvec.plan.model import Window
from ecgvec.recipe.options import RecordOptions
from ecgvec.record.model import Record

LEAST_FS = 10.0  # samples a second
_EPS = 1e-6  # of a sample: forgives the last bit of sampling rates such as 62.4725 / 999.56


def windows(record: Record, seconds: float, options: RecordOptions) -> tuple[list[Window], str | None]:
    """The windows of ``seconds`` that are drawn, and a sentence on what is not (None: nothing is lost)."""
    total = record.signals.shape[0]
    if record.fs < LEAST_FS:
        raise RecordError(
            f"record {record.name} has {record.fs:g} samples a second, which is no ECG: "
            "write the true rate in its header"
        )

    def index(t: float) -> int:
        return math.ceil(t * record.fs - _EPS)

    if options.first_sample is not None:
        first = options.first_sample
        if first >= total:
            raise RecordError(
                f"record {record.name} has {total} samples: choose a first sample (-st) below that, not {first}"
            )
        start = first / record.fs
        return [Window(index=0, first=first, count=min(index(start + seconds), total) - first, start=start)], None
    full = math.floor(total / (seconds * record.fs) + _EPS)
    found = []
    for k in range(full):
        first = index(k * seconds)
        found.append(
            Window(index=k, first=first, count=min(index((k + 1) * seconds), total) - first, start=k * seconds)
        )
    first = index(full * seconds)
    if first >= total:
        return found, None
    rest = total / record.fs - full * seconds
    if full == 0 or options.tail == "keep":
        found.append(Window(index=full, first=first, count=total - first, start=full * seconds))
        return found, f"The last {rest:.3f} s fill less than a page and are drawn as long as they are."
    return found, f"The last {rest:.3f} s fill less than a page and are dropped (--tail keep draws them)."
