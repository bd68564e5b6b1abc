"""The nnU-Net dataset, checked as nnU-Net's own verify_dataset_integrity checks it, without nnU-Net."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.export import masks
from ecgvec.export.formats import FORMATS
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Lead, Record


def written(folder: Path, sheets: dict[str, ecgvec.Sheet]) -> Path:
    """What a run of these sheets, by their stems, writes below ``folder`` in this format."""
    kind = FORMATS.get("nnunet")
    assert kind.part is not None
    assert kind.merge is not None
    shared = kind.merge([kind.part(sheet, stem) for stem, sheet in sheets.items()])
    files = {name: b"".join(pieces) for name, pieces in shared.items()}
    for stem, sheet in sheets.items():
        files |= kind.files(sheet, stem)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "nnunet"


def read(path: Path) -> NDArray[Any]:
    """The numbers of a PNG as OpenCV reads them."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def check_dataset(folder: Path) -> dict[str, Any]:
    """What nnU-Net 2 demands of a raw dataset (nnunetv2/experiment_planning/verify_dataset_integrity.py, LabelManager,
    NaturalImage2DIO); returns dataset.json."""
    document: dict[str, Any] = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    assert {"labels", "channel_names", "numTraining", "file_ending"} <= set(document)
    ending, channels = document["file_ending"], document["channel_names"]
    assert list(channels) == [str(i) for i in range(len(channels))]
    images = sorted(path.name for path in (folder / "imagesTr").iterdir() if path.name.endswith(ending))
    cases = sorted({name[: -len(ending) - 5] for name in images})
    assert len(cases) == document["numTraining"]
    labels = document["labels"]
    assert labels["background"] == 0
    assert "ignore" not in labels
    assert np.all(np.ediff1d(sorted(labels.values())) == 1)
    assert sorted(path.name for path in (folder / "labelsTr").iterdir()) == sorted(f"{case}{ending}" for case in cases)
    for case in cases:
        own = [name for name in images if re.fullmatch(re.escape(case) + r"_\d\d\d\d" + re.escape(ending), name)]
        assert own == [f"{case}_0000{ending}"]
        image = read(folder / "imagesTr" / own[0])
        segmentation = read(folder / "labelsTr" / f"{case}{ending}")
        assert image.dtype == segmentation.dtype == np.uint8
        assert image.shape == (*segmentation.shape, len(channels))
        assert set(np.unique(segmentation).tolist()) <= set(labels.values())
    return document


def named(record: Record, *names: str) -> Record:
    """A record with leads of these names and some of the record's signals."""
    signals = record.signals[:, [i % 12 for i in range(len(names))]]
    return Record("other", record.fs, signals, tuple(Lead(name, name) for name in names))


def test_a_run_is_a_dataset(demo_record: Record, tmp_path: Path) -> None:
    last = ecgvec.render(demo_record, pad=10, dpi=70)
    sheets = {
        "r-0": ecgvec.render(demo_record, print_header=True, qr_code=True, dpi=100),
        "a/r-0": ecgvec.render(demo_record, crop=0.1, template="12x1", dpi=100),
        "a/b/r-0": last,
    }
    folder = written(tmp_path, sheets)
    document = check_dataset(folder)
    assert list(document["labels"]) == ["background", *STANDARD_12]
    assert document["numTraining"] == 3
    assert document["overwrite_image_reader_writer"] == "NaturalImage2DIO"
    assert np.array_equal(read(folder / "imagesTr/a__b__r-0_0000.png")[:, :, ::-1], last.image)
    labels = read(folder / "labelsTr/a__b__r-0.png")
    assert np.array_equal(labels, masks.label_image(last))
    assert set(np.unique(labels)) == set(range(13))


def test_labels_are_the_leads_wherever_they_lie(demo_record: Record) -> None:
    """As the lead masks say, whatever the template; where two leads meet, one of them."""
    for template in ("3x4+1R", "6x2", "12x1"):
        sheet = ecgvec.render(demo_record, template=template)
        labels = masks.label_image(sheet)
        _, leads, _ = masks.mask_arrays(sheet)
        assert np.array_equal(labels > 0, leads[0] > 0)
        marked = labels > 0
        assert (leads[0][marked] >> (labels[marked] - 1) & 1 == 1).all()


def test_the_lead_that_is_drawn_later_has_the_pixel() -> None:
    signals = np.zeros((5000, 12))
    signals[2500:2520, 6] = -3.0  # V1 falls through the row of V2
    sheet = ecgvec.render(Record("r", 500.0, signals, tuple(Lead(n, n) for n in STANDARD_12)), template="12x1")
    v1, v2 = sheet.labels.traces[6:8]
    labels = masks.label_image(sheet)
    x = int(v1.points[2500, 0])
    assert labels[int(v2.points[0, 1]), x] == 8
    assert labels[int(v2.points[0, 1]) - 5, x] == 7


def test_a_trace_below_a_qr_code_has_no_label(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[4850:5000:20, STANDARD_12.index("V4")] = 60.0
    sheet = ecgvec.render(replace(demo_record, signals=signals), qr_code=True, template="3x4", baseline="zero")
    box = next(m for m in sheet.scene.shapes() if m.role == "qr-back").path.transform(sheet.warp.forward).bounds()
    x0, y0, x1, y1 = (round(v) for v in box)
    assert (masks.mask_arrays(sheet)[1][0][y0:y1, x0:x1] > 0).any()
    assert not masks.label_image(sheet)[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1].any()


@pytest.mark.parametrize(
    ("leads", "count"),
    [
        (("I", "V6"), 13),
        (("II", "ECG 1", "V"), 14),
        ((*STANDARD_12, "V7", "V8", "V9"), 17),
        (("X", "Y", "Z"), 24),
    ],
    ids=lambda value: str(value),
)
def test_other_leads_have_labels_of_their_own(
    demo_record: Record, tmp_path: Path, leads: tuple[str, ...], count: int
) -> None:
    sheet = ecgvec.render(named(demo_record, *leads), dpi=90)
    document = check_dataset(written(tmp_path, {"r-0": sheet}))
    assert len(document["labels"]) == count
    found = set(np.unique(masks.label_image(sheet)).tolist())
    assert found == {0, *(document["labels"].get(lead, document["labels"].get("other")) for lead in leads)}


def test_labels_are_the_same_in_every_run() -> None:
    assert masks.LABELS[:14] == ("background", *STANDARD_12, "other")
    assert len(set(masks.LABELS)) == len(masks.LABELS)
    assert masks.label_of("background") == masks.label_of("ECG 1") == masks.LABELS.index("other")
    assert masks.label_of("Z") == len(masks.LABELS) - 1


def test_no_two_images_have_one_case_name() -> None:
    stems = [
        *("r-0", "a/r-0", "a/b/r-0", "a__r-0", "a/b__r-0", "a__b/r-0", "a__b__r-0", "_r-0", "a/_r-0", "a_/r-0"),
        *("a_/_r-0", "a___r-0", "a/" + "b" * 250 + "/r-0", "a/" + "b" * 250 + "/r-1", "c/" + "b" * 250 + "/r-0"),
        *("a_b/c_d-0-v1", "ÄÖ/r-0", "a b/r.1-0"),
    ]
    cases = [masks.case_name(stem) for stem in stems]
    assert len(set(cases)) == len(cases)
    for case in cases:
        assert "/" not in case
        assert len(f"{case}_0000.png".encode()) < 240
    assert masks.case_name("r-0") == "r-0"
    assert masks.case_name("a/b_c/r_1-0-v2") == "a__b_c__r_1-0-v2"
