"""The native JSON of what its fast writer does not know, and of labels that are no numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import ecgvec
from ecgvec.export.native import sidecar
from ecgvec.record.model import Record


def test_a_seed_beyond_64_bits_is_kept(demo_record: Record) -> None:
    small, large = (ecgvec.render(demo_record, seed=seed, dpi=50) for seed in (5, 2**70))
    plain = replace(large, plan=large.plan.model_copy(update={"seed": 5}))
    assert json.loads(sidecar(large, {}))["plan"]["seed"] == 2**70
    assert sidecar(large, {}).replace(str(2**70).encode(), b"5") == sidecar(plain, {})
    assert json.loads(sidecar(small, {}))["plan"]["seed"] == 5


def test_a_name_that_is_no_utf_8_is_kept(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, dpi=50)
    odd = sidecar(sheet, {"\udc80.png": b"1"})
    assert list(json.loads(odd)["files"]) == ["\udc80.png"]
    assert odd.replace(b"\\udc80", b"x") == sidecar(sheet, {"x.png": b"1"})


def test_a_label_that_is_no_number_is_refused(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, dpi=50)
    labels, nowhere = sheet.labels, np.full((4, 2), np.inf)
    lost = replace(labels.traces[0], outline=nowhere)
    for wrong in (replace(labels, corners=nowhere), replace(labels, traces=(lost, *labels.traces[1:]))):
        with pytest.raises(ValueError, match="no number"):
            sidecar(replace(sheet, labels=wrong), {})
