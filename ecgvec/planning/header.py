"""The made-up facts of a print-out's header and footer. Nothing of a record's header passes but what is asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ecgvec.layout.style import PageStyle
from ecgvec.record.model import Subject
from ecgvec.resources import folder
from ecgvec.rng import stream


@cache
def _made_up() -> dict[str, Any]:
    return tomllib.loads((folder("templates") / "made_up.toml").read_text(encoding="utf-8"))


def _age_band(age: int) -> str:
    return "90+" if age >= 90 else f"{age // 10 * 10}-{age // 10 * 10 + 9}"


class _Facts:
    """Draws each fact from a stream of its own."""

    def __init__(self, keys: tuple[int, str, int]) -> None:
        self._keys = keys

    def _rng(self, name: str) -> np.random.Generator:
        return stream(*self._keys, f"header/{name}")

    def whole(self, name: str, low: int, high: int) -> int:
        return int(self._rng(name).integers(low, high + 1))

    def one(self, name: str, choices: Sequence[str]) -> str:
        return choices[int(self._rng(name).integers(len(choices)))]


def header_values(
    style: PageStyle, passed: Sequence[str], subject: Subject, keys: tuple[int, str, int]
) -> dict[str, str]:
    """Text for every placeholder of headers and footers.

    All of it is drawn from the streams ``keys`` (seed, image, variant) but the page's own speed, gain and free text,
    and, where ``passed`` names them, the subject's age (as a band of ten years), sex and diagnosis codes.
    """
    facts = _Facts(keys)
    return {
        **_person(facts, passed, subject),
        **_measurements(facts),
        **_circumstances(facts),
        "header_text": style.header_text,
        "speed": f"{style.speed:g}",
        "gain": f"{style.gain:g}",
        "chest_gain": f"{style.chest_gain or style.gain:.1f}",
    }


def _person(facts: _Facts, passed: Sequence[str], subject: Subject) -> dict[str, str]:
    made_up_sex = facts.one("sex", ("female", "male"))
    sex = (subject.sex or "") if "sex" in passed else made_up_sex
    age = subject.age if "age" in passed else facts.whole("age", 20, 94)
    first_names = _made_up()["first_names"][sex or made_up_sex]
    return {
        "name": f"{facts.one('surname', _made_up()['surnames'])}, {facts.one('first_name', first_names)}",
        "id": str(facts.whole("id", 1_000_000, 9_999_999)),
        "sex": sex.capitalize(),
        "age_band": "" if age is None else _age_band(age),
        "dx": " ".join(subject.dx) if "dx" in passed else "",
    }


def _measurements(facts: _Facts) -> dict[str, str]:
    rate, qtc = facts.whole("rate", 52, 104), facts.whole("qtc", 380, 450)
    return {
        "rate": str(rate),
        "pr": str(facts.whole("pr", 124, 204)),
        "qrs": str(facts.whole("qrs", 78, 112)),
        "qt": str(round(qtc * (60 / rate) ** (1 / 3))),  # Fridericia's correction, backwards
        "qtc": str(qtc),
        "p_axis": str(facts.whole("p_axis", 20, 75)),
        "r_axis": str(facts.whole("r_axis", -25, 85)),
        "t_axis": str(facts.whole("t_axis", 5, 80)),
    }


def _circumstances(facts: _Facts) -> dict[str, str]:
    day, month, year = facts.whole("day", 1, 28), facts.whole("month", 1, 12), facts.whole("year", 1998, 2024)
    hour, minute, second = facts.whole("hour", 6, 22), facts.whole("minute", 0, 59), facts.whole("second", 0, 59)
    band = facts.one("filter", _made_up()["filters"])
    return {
        "date": f"{day:02d}.{month:02d}.{year}",
        "time": f"{hour:02d}:{minute:02d}:{second:02d}",
        "room": str(facts.whole("room", 1, 40)),
        "location": str(facts.whole("location", 1, 9)),
        "technician": str(facts.whole("technician", 100, 999)),
        "test_ind": facts.one("test_ind", _made_up()["indications"]),
        "hospital": facts.one("hospital", _made_up()["hospitals"]),
        "statement": facts.one("statement", _made_up()["statements"]),
        "filter": band,
        "filter_hz": band.rsplit("-", 1)[1],
    }
