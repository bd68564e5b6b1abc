"""A small classifier that reads single letters and digits from their strokes: what legibility is judged with.

It has the letters of two people to learn from, so that what it is shown is bent hard
(`ecgvec.handwriting.training.corpus`).
All of this was chosen by how well it reads other people, none of it by the writer's letters. The writer has a reader of
its own, which learns from other people, is smaller, and sees each letter once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ecgvec.handwriting.reader import CLASSES, Letter, ink_of, pick_letters, pictures
from ecgvec.handwriting.training.train_reader import Lessons, ReaderNetwork, as_tensor
from ecgvec.handwriting.training.train_reader import train_reader as taught_one

LESSONS = Lessons(steps=500, widths=(24, 48, 96), dense=160)
MEMBERS = 2  # networks that learn, each from a seed of its own; their opinions are averaged
VIEWS = ((0.0, 1.0), (-0.15, 1.0), (0.15, 1.0), (0.0, 0.85), (0.0, 1.15))  # (slant, width) that a letter is read at


def taught(letters: Sequence[Letter], seed: int) -> list[ReaderNetwork]:
    """MEMBERS readers that have learnt these letters."""
    return [taught_one(letters, replace(LESSONS, seed=MEMBERS * seed + member)) for member in range(MEMBERS)]


@torch.no_grad()
def read(readers: Sequence[ReaderNetwork], letters: Sequence[Letter]) -> list[str]:
    """The class that each letter is read as: the readers' mean opinion of it, seen at several slants and widths."""
    ink = ink_of(letters)
    told = []
    for rows in np.array_split(np.arange(len(letters)), -(-len(letters) // 512)):
        part = pick_letters(ink, rows)
        opinion = torch.zeros(len(rows), len(CLASSES))
        for slant, width in VIEWS:
            images = as_tensor(pictures(part._replace(at=part.at @ np.array([[width, 0.0], [-slant * width, 1.0]]))))
            opinion += sum(torch.log(reader(images).softmax(1) + 1e-4) for reader in readers)
        told += opinion.argmax(1).tolist()
    return [CLASSES[number] for number in told]
