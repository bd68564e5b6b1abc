"""A folder of images, verified: missing and changed files, label errors, SNR; and all of it as plain JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ecgvec._typing import Float64Array, Points
from ecgvec.errors import EcgvecError, SourceError
from ecgvec.export.read import decode_image, is_sidecar
from ecgvec.verify.digitise import digitise
from ecgvec.verify.labels import LabelError, label_error
from ecgvec.verify.page import Page, read_page
from ecgvec.verify.score import Score, kaggle_score, score
from ecgvec.verify.unmix import unmix

TOLERANCE_PX = 0.5
RUN_FILES = ("ecgvec-run.json",)


@dataclass(frozen=True)
class ImageReport:
    """What was found of one image. ``fault`` is a sentence where the image could not be looked at; ``labels``,
    ``quick`` and ``oracle`` are None where files for them are missing, or were not asked for."""

    name: str
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    fault: str | None = None
    labels: LabelError | None = None
    quick: Score | None = None
    oracle: Score | None = None

    def off(self, tolerance: float) -> bool:
        """Whether a label lies more than ``tolerance`` px from its ink."""
        return self.labels is not None and (not self.labels.found or self.labels.worst > tolerance)

    def good(self, tolerance: float) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.changed or self.fault or self.off(tolerance))


@dataclass(frozen=True)
class Pool:
    """The leads of all images together, dB by the Challenge's rule: how many, how many are zero throughout and left
    out, median and 10th percentile, the same below 0.4 x px/s (NaN where not asked for), and Kaggle's score."""

    leads: int
    zero_leads: int
    median: float
    p10: float
    low_median: float
    low_p10: float
    kaggle: float


@dataclass(frozen=True)
class Report:
    """All images of a folder."""

    folder: str
    tolerance: float
    images: tuple[ImageReport, ...] = field(default=())

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with any image."""
        return all(image.good(self.tolerance) for image in self.images)

    @property
    def quick(self) -> Pool | None:
        """The quick digitiser's leads; None without any."""
        return pool([image.quick for image in self.images if image.quick is not None])

    @property
    def oracle(self) -> Pool | None:
        """The oracle's leads; None without any."""
        return pool([image.oracle for image in self.images if image.oracle is not None])


def pool(scores: Sequence[Score]) -> Pool | None:
    """The leads of several images together, or None without an image."""
    if not scores:
        return None
    leads = np.array([v for s in scores for v in s.leads.values()], dtype=np.float64)
    low = np.array([v for s in scores for v in s.low.values()], dtype=np.float64)
    known = leads[~np.isnan(leads)]
    return Pool(
        leads=len(known),
        zero_leads=len(leads) - len(known),
        median=_percentile(known, 50),
        p10=_percentile(known, 10),
        low_median=_percentile(low, 50),
        low_p10=_percentile(low, 10),
        kaggle=kaggle_score([s.ratio for s in scores]),
    )


def _percentile(values: Float64Array, percent: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.percentile(known, percent)) if len(known) else math.nan


def verify_folder(
    folder: Path,
    *,
    oracle: bool = False,
    tolerance: float = TOLERANCE_PX,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Verify every image below ``folder`` that has a sidecar JSON. ``progress`` is told how many are done of how many.

    SourceError where there is no such image.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: give the output folder of a run")
    sidecars = find_sidecars(folder)
    if not sidecars:
        raise SourceError(
            f"{folder} holds no image with labels: give a folder that was written with json and png among the --formats"
        )
    images = []
    for i, path in enumerate(sidecars):
        progress(i, len(sidecars))
        name = path.relative_to(folder).with_suffix("").as_posix()
        images.append(verify_image(path, name, oracle=oracle))
    return Report(str(folder), tolerance, tuple(images))


def find_sidecars(folder: Path) -> list[Path]:
    """All JSON files below ``folder`` but those that are whole and not of an image."""
    return [path for path in sorted(folder.rglob("*.json")) if path.name not in RUN_FILES and is_sidecar(path)]


def verify_image(sidecar: Path, name: str, *, oracle: bool = False) -> ImageReport:
    """Verify one image by its JSON; ``name`` is what to call it.

    What is wrong is in the report; nothing is raised for it.
    """
    try:
        page = read_page(sidecar)
    except EcgvecError as error:
        return ImageReport(name, fault=str(error))
    missing, changed = check_files(page)
    report = ImageReport(name, missing, changed)
    saved = page.saved
    picture, arrays = saved.file(".png") or saved.file(".jpg"), saved.file(".npz")
    if picture is None or picture.name in missing or arrays is None or arrays.name in missing:
        return report
    try:
        labels, quick, best = _measured(page, picture, oracle)
    except EcgvecError as error:
        return ImageReport(name, missing, changed, fault=str(error))
    return ImageReport(name, missing, changed, None, labels, quick, best)


def _measured(page: Page, picture: Path, oracle: bool) -> tuple[LabelError, Score, Score | None]:
    image, _ = decode_image(picture, page.size)
    ink = unmix(image, page)
    found = digitise(ink, page)  # before any value is read
    best = None
    if oracle:
        from ecgvec.verify.oracle import refit

        best = refit(ink, page, found)
    truth, points = read_values(page)
    labels = label_error(image, page, ink, points)
    quick = score(page, truth, found)
    return labels, quick, score(page, truth, best, low=True) if best is not None else None


def check_files(page: Page) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The image's files that are missing, and those whose SHA-256 is not the one in its JSON, by their paths as seen
    from the JSON."""
    missing, changed = [], []
    for name, digest in page.files.items():
        path = page.path.parent / name
        if not path.is_file():
            missing.append(name)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            changed.append(name)
    return tuple(missing), tuple(changed)


def read_values(page: Page) -> tuple[dict[str, Float64Array], dict[str, Points]]:
    """The labels' millivolts (n,), one a sample, and their places (k, 2) px, by trace id.

    Labels may be denser or coarser than samples: millivolts are read off the line between them. They are NaN where the
    image hides them: no digitiser is asked for what cannot be seen. SourceError where the NPZ does not hold them.
    """
    truth, points = {}, {}
    traces = page.saved.with_samples(check=False).labels.traces  # a changed file is reported, and still measured
    for strip, trace in zip(page.strips, traces, strict=True):
        if not len(trace.t):
            raise SourceError(f"{page.path}: trace {trace.id} has no samples: render the image anew")
        same = trace.t.shape == (strip.count,) and np.allclose(trace.t, strip.t, rtol=0, atol=0.01 / strip.fs)
        shown = np.where(trace.occluded, np.nan, trace.mv)
        truth[strip.id] = shown if same else np.interp(strip.t, trace.t, shown)
        points[strip.id] = trace.points
    return truth, points


def as_json(report: Report) -> str:
    """The whole report as strict JSON; numbers that are not finite are null."""
    document = {
        "format": "ecgvec-verify",
        "format_version": 1,
        "tolerance_px": report.tolerance,
        "good": report.good,
        "summary": {"images": len(report.images), "quick": _pool(report.quick), "oracle": _pool(report.oracle)},
        "images": [_image(image, report.tolerance) for image in report.images],
    }
    return json.dumps(document, allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def _image(image: ImageReport, tolerance: float) -> dict[str, Any]:
    return {
        "image": image.name,
        "good": image.good(tolerance),
        "fault": image.fault,
        "missing": list(image.missing),
        "changed": list(image.changed),
        "labels": _labels(image.labels, tolerance),
        "quick": _score(image.quick),
        "oracle": _score(image.oracle),
    }


def _labels(labels: LabelError | None, tolerance: float) -> dict[str, Any] | None:
    if labels is None:
        return None
    return {
        "found": labels.found,
        "off": not labels.found or labels.worst > tolerance,
        "shift_px": [_plain(v) for v in labels.shift],
        "median_px": _plain(labels.median),
        "p99_px": _plain(labels.p99),
        "worst_px": _plain(labels.worst),
        "traces": {name: [_plain(v) for v in shift] for name, shift in labels.traces.items()},
    }


def _score(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "challenge_db": _plain(score.challenge),
        "kaggle_db": _plain(score.kaggle),
        "kaggle_ratio": _plain(score.ratio),
        "leads_db": {lead: _plain(v) for lead, v in score.leads.items()},
        "low_leads_db": {lead: _plain(v) for lead, v in score.low.items()},
    }


def _pool(pool: Pool | None) -> dict[str, Any] | None:
    return None if pool is None else {key: _plain(value) for key, value in asdict(pool).items()}


def _plain(value: float) -> float | int | None:
    """A number for JSON, a ten-thousandth exact; None where it is not finite."""
    return value if isinstance(value, int) else round(float(value), 4) if math.isfinite(value) else None
