"""The format ``kaggle``: the true samples of a page as Kaggle's "PhysioNet - Digitization of ECG Images" takes them.

``kaggle/STEM.csv`` has the columns ``id,value``: ``id`` = ``{image}_{sample}_{lead}``, ``image`` being the image's path
without extension, ``__`` for each ``/``; ``sample`` counts from 0 in each lead; ``value`` is in mV, ``nan`` in a gap.
Lead II has its longest piece (the strip of 10 s), each other lead its piece of the columns (2.5 s), and each piece
floor(seconds x rate) samples, as the competition's ``test.csv`` counts them.

A file a page, for the samples of a large run would not fit in memory. All pages in one file::

    find out/kaggle -name '*.csv' | sort | xargs awk 'FNR > 1 || !n++' > truth.csv

Read an id from its right end, ``id.rsplit("_", 2)``, for image names may hold underscores. Kaggle's own scorer cuts at
the first two, so it wants names without (``--anonymous-names`` gives such), and a column ``fs`` in the truth.
"""

from __future__ import annotations

import csv
import io
import math

from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.record.leads import STANDARD_12
from ecgvec.render.labels.model import TraceLabel
from ecgvec.sheet import Sheet

LONG_LEAD = "II"
_DECIMALS = 6  # of a mV
_EPS = 1e-6  # of a sample


def pieces(sheet: Sheet) -> dict[str, TraceLabel]:
    """The piece of each lead that counts: of II the longest, of the others the one in the columns where there is one.

    The twelve standard leads come first, in their order.
    """
    found: dict[str, TraceLabel] = {}
    for trace in sheet.annotations.traces:
        other = found.setdefault(trace.lead, trace)
        longer = trace.lead == LONG_LEAD and len(trace.t) > len(other.t)
        if longer or (trace.lead != LONG_LEAD and other.rhythm and not trace.rhythm):
            found[trace.lead] = trace
    order = {lead: number for number, lead in enumerate(STANDARD_12)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def _count(sheet: Sheet, trace: TraceLabel) -> int:
    """How many samples of ``trace`` are asked for: floor(seconds x rate), where it has so many."""
    place = (trace.row, trace.column, trace.rhythm)
    seconds = next(p.seconds for p in sheet.layout.panels if (p.row, p.column, p.rhythm) == place)
    return min(len(trace.t), math.floor(seconds * trace.fs + _EPS))


def _files(sheet: Sheet, stem: str) -> Files:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["id", "value"])
    image = stem.replace("/", "__")
    for lead, trace in pieces(sheet).items():
        values = trace.mv[: _count(sheet, trace)].round(_DECIMALS).tolist()
        name = lead.replace("_", "-")
        rows.writerows((f"{image}_{sample}_{name}", value) for sample, value in enumerate(values))
    return {f"kaggle/{stem}.csv": buffer.getvalue().encode()}


FORMATS.add("kaggle", Format("the true samples of a page as Kaggle's id,value", _files))
