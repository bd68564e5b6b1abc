"""The program run in this process, and what it has written."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgvec.resources import folder
from tests.program import Outcome, program

DEMO = folder("demo") / "ecgvec-demo"


@dataclass(frozen=True)
class Drawn:
    """A run's outcome and output folder."""

    out: Path
    outcome: Outcome

    @cached_property
    def files(self) -> list[str]:
        """All files below the output folder."""
        return sorted(path.relative_to(self.out).as_posix() for path in self.out.rglob("*") if path.is_file())

    def named(self, ending: str) -> list[Path]:
        """The files beside the images whose names end so."""
        return [self.out / name for name in self.files if "/" not in name and name.endswith(ending)]

    @cached_property
    def documents(self) -> list[dict[str, Any]]:
        """The images' JSONs, in order of their names."""
        return [json.loads(path.read_text()) for path in self.named(".json") if path.name != "ecgvec-run.json"]

    @property
    def document(self) -> dict[str, Any]:
        """The first image's JSON."""
        return self.documents[0]

    @property
    def plan(self) -> dict[str, Any]:
        """The first image's plan."""
        plan: dict[str, Any] = self.document["plan"]
        return plan

    @property
    def style(self) -> dict[str, Any]:
        """How its page looks."""
        style: dict[str, Any] = self.plan["page"]["style"]
        return style

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        """Its parts of the warp and its effects, by kind."""
        return {part["kind"]: part for part in [*self.plan["warp"], *self.plan["effects"]]}

    @property
    def texts(self) -> list[dict[str, Any]]:
        """The labels of its texts."""
        texts: list[dict[str, Any]] = self.document["labels"]["texts"]
        return texts

    @property
    def kit(self) -> dict[str, Any]:
        """The first JSON for ecg-image-kit's users."""
        path = next(self.out / name for name in self.files if name.startswith("kit/") and name.endswith(".json"))
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """The first image (H, W, 3), RGB."""
        path = next(p for p in self.named(".png") if not p.name.endswith("-gt.png"))
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1], dtype=np.uint8)


def run(out: Path, *arguments: object, command: str = "single", source: Path = DEMO, small: bool = True) -> Drawn:
    """``ecgvec command -i source -o out arguments``, at 60 dpi and without vectors where ``small``."""
    more: list[object] = []
    if small and not {"-r", "--resolution", "--dpi"} & {str(a) for a in arguments}:
        more += ["-r", 60]
    if small and not {"--formats", "--image_only", "--mask_unplotted_samples"} & {str(a) for a in arguments}:
        more += ["--formats", "png,json,kit"]
    return Drawn(out, program(command, "-i", source, "-o", out, *arguments, *more))


def told(top: Path, *flags: object, recipe: str | None = None) -> Outcome:
    """``single`` with ``flags``, upon a recipe file of this text, printed and not drawn."""
    more: tuple[object, ...] = ()
    if recipe is not None:
        (top / "mine.toml").write_text(recipe)
        more = ("--recipe", top / "mine.toml")
    return program("single", "-i", DEMO, "-o", top / "out", *more, *flags, "--print-recipe")


def printed(top: Path, *flags: object, recipe: str | None = None) -> dict[str, Any]:
    """The same as tables."""
    done = told(top, *flags, recipe=recipe)
    assert done.code == 0, done.stderr
    return tomllib.loads(done.stdout)


def refused(top: Path, *flags: object, recipe: str | None = None) -> str:
    """The sentence that it is refused with, without the recipe's name."""
    done = told(top, *flags, recipe=recipe)
    assert done.code == 2, done
    return re.sub(r"^ecgvec: (recipe '[^']*': )?", "", done.stderr.strip())
