"""Record: what it holds, and the leads that it can derive."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import FrozenInstanceError
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ecgvec.errors import RecordError
from ecgvec.record.leads import LIMB
from ecgvec.record.model import Lead, Record
from ecgvec.record.read import read_record


def record(names: str, signals: object = None, fs: float = 250.0) -> Record:
    leads = tuple(Lead(name, name.lower()) for name in names.split())
    if signals is None:
        signals = np.random.default_rng(1).normal(size=(100, len(leads)))
    return Record("r", fs, np.asarray(signals, dtype=np.float64), leads)


def test_what_a_record_says_of_itself() -> None:
    one = record("I V1", np.zeros((500, 2)))
    assert one.duration == 2.0
    assert one.lead_names == ("I", "V1")
    assert repr(one) == "<Record 'r': I, V1; 2 s at 250 Hz>"


def test_signals_are_a_copy_that_cannot_be_changed() -> None:
    signals = np.zeros((5, 1))
    one = record("I", signals)
    signals[0] = 7
    assert one.signals[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        one.signals[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        one.fs = 1.0  # type: ignore[misc]


def test_empty_leads_have_not_one_value() -> None:
    one = record("I II V1", [[np.nan, 1, np.nan], [np.nan, np.nan, np.nan]])
    assert one.empty_leads == ("I", "V1")


def test_a_lead_is_found_in_any_spelling() -> None:
    one = record("I aVR V1")
    assert [one.index(name) for name in ("I", "avr", "C1")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("aVX", "; did you mean 'aVR'"), ("Pleth", "; known are I, V1, aVR"), ("", "; known are I, V1, aVR")],
)
def test_a_lead_that_is_not_there(name: str, hint: str) -> None:
    with pytest.raises(RecordError, match=f"^record 'r' has no lead '{name}'{hint}"):
        record("I aVR V1").index(name)


@pytest.mark.parametrize(
    ("names", "signals", "fs", "message"),
    [
        ("I II", np.zeros((5, 1)), 250, r"the signals of record 'r' have the shape \(5, 1\); \(samples, 2\) is needed"),
        ("I", np.zeros(5), 250, r"the signals of record 'r' have the shape \(5,\)"),
        ("I I", np.zeros((5, 2)), 250, "record 'r' has two leads of one name among I, I"),
        ("I", np.zeros((5, 1)), 0, "record 'r' has a sampling rate of 0; give a rate above 0"),
        ("I", np.zeros((5, 1)), float("nan"), "record 'r' has a sampling rate of nan"),
    ],
)
def test_a_record_that_cannot_be(names: str, signals: object, fs: float, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        record(names, signals, fs)


def test_the_digest_tells_records_apart_by_what_is_drawn() -> None:
    one = record("I II", [[0.0, 1.0], [np.nan, 2.0]])
    other_nan = np.array([[0.0, 1.0], [-np.nan, 2.0]])
    assert one.digest == record("I II", other_nan).digest
    assert len(one.digest) == 64
    different = [
        record("I II", [[0.0, 1.0], [np.nan, 2.0]], fs=251),
        record("I III", [[0.0, 1.0], [np.nan, 2.0]]),
        record("I II", [[0.0, 1.0], [np.nan, np.nextafter(2, 3)]]),
        record("I II", [[0.0, 1.0], [0.0, 2.0]]),
    ]
    assert len({one.digest, *(each.digest for each in different)}) == 5


def test_what_the_digest_is_made_of() -> None:
    content = struct.pack("<d", 250) + b"I\nII\0" + struct.pack("<4d", 0, 1, np.nan, 2)
    assert record("I II", [[0.0, 1.0], [np.nan, 2.0]]).digest == hashlib.sha256(content).hexdigest()


def test_with_leads() -> None:
    one = record("I II V1")
    two = one.with_leads(["V1", "i"])
    assert two.leads == (Lead("V1", "v1"), Lead("I", "i"))
    np.testing.assert_array_equal(two.signals, one.signals[:, [2, 0]])
    with pytest.raises(RecordError, match="no lead 'V9'"):
        one.with_leads(["V9"])


@pytest.fixture
def limb() -> dict[str, np.ndarray]:
    one, two = np.random.default_rng(2).normal(size=(2, 50))
    signals = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
    return dict(zip(LIMB, signals, strict=True))


@pytest.mark.parametrize("pair", list(combinations(LIMB, 2)))
def test_any_two_limb_leads_give_the_other_four(pair: tuple[str, str], limb: dict[str, np.ndarray]) -> None:
    given = record(" ".join(["V1", *reversed(pair)]), np.column_stack([limb["I"] * 3, limb[pair[1]], limb[pair[0]]]))
    derived = given.with_derived_leads()
    assert derived.lead_names == (*LIMB, "V1")
    for name in LIMB:
        np.testing.assert_allclose(derived.signals[:, derived.index(name)], limb[name], rtol=0, atol=1e-14)
        assert derived.leads[derived.index(name)].original == (name.lower() if name in pair else "")
    np.testing.assert_array_equal(derived.signals[:, 6], limb["I"] * 3)
    missing = ", ".join(name for name in LIMB if name not in pair)
    assert derived.messages == (f"Derived from {pair[0]} and {pair[1]}: {missing}.",)


def test_einthoven_and_goldberger_are_exact(limb: dict[str, np.ndarray]) -> None:
    derived = record("I II", np.column_stack([limb["I"], limb["II"]])).with_derived_leads()
    np.testing.assert_array_equal(derived.signals, np.column_stack(list(limb.values())))


def test_derived_leads_are_those_that_were_recorded(record_folder: Path) -> None:
    recorded = read_record(record_folder / "ptbxl_500hz/HR06000")
    derived = recorded.with_leads(["V1", "II", "I"]).with_derived_leads()
    assert derived.lead_names == (*LIMB, "V1")
    # PTB-XL stores whole microvolts: half a microvolt of rounding in each of three leads.
    assert np.abs(derived.signals[:, :6] - recorded.signals[:, :6]).max() < 0.002


def test_gaps_stay_gaps() -> None:
    derived = record("I II", [[1.0, 2.0], [np.nan, 2.0], [1.0, np.nan]]).with_derived_leads()
    assert np.isnan(derived.signals[1:, 2:]).all()
    assert not np.isnan(derived.signals[0]).any()


def test_an_empty_lead_gives_nothing() -> None:
    derived = record("I II aVF", [[np.nan, 2.0, 1.0], [np.nan, 3.0, 1.0]]).with_derived_leads()
    assert derived.messages == ("Derived from II and aVF: III, aVR, aVL.",)
    assert derived.empty_leads == ("I",)


@pytest.mark.parametrize("names", ["I II III aVR aVL aVF V1", "I V1", "V1 V2", "V aVX"])
def test_where_nothing_lacks_or_nothing_can_be_derived(names: str) -> None:
    one = record(names)
    assert one.with_derived_leads() is one
