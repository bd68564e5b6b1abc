"""Train a tiny network to find the ink of traces on pages that are drawn while it learns.

    python examples/train_segmentation.py                                   # the embedded record, 30 steps
    python examples/train_segmentation.py --records MY_RECORDS --recipe phone-photo --workers 4 --steps 1000

It shows the parts that a real training needs; three convolutions are no network to read ECGs with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

import ecgvec
from ecgvec.datasets import IGNORE, MASK_CLASSES, EcgImages, collate


def network() -> nn.Module:
    """(B, 3, H, W) floats -> (B, classes, H, W) logits."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv2d(16, len(MASK_CLASSES), 3, padding=1),
    )


def batches(pages: EcgImages, batch_size: int, workers: int) -> Iterator[dict[str, Any]]:
    """Batches without end, with pages of their own in each epoch."""
    loader = DataLoader(
        pages,
        batch_size=batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=partial(collate, multiple=8),
    )
    while True:
        yield from loader
        pages.set_epoch(pages.epoch + 1)


def main(arguments: Sequence[str] | None = None) -> list[float]:
    """Train, print the loss, and give it for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", help="a folder of WFDB records; without it the embedded record")
    parser.add_argument("--recipe", default="clean")
    parser.add_argument("--dpi", type=float, default=60)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch_size", type=int, default=4)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)

    torch.manual_seed(given.seed)
    pages = EcgImages(given.records or ecgvec.read_demo_record(), given.recipe, given.seed, given.dpi, labels=["mask"])
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    # Most of a page is background: without weights the network would learn to say nothing else.
    weights = torch.tensor([0.1] + [1.0] * (len(MASK_CLASSES) - 1))
    measure = nn.CrossEntropyLoss(weight=weights, ignore_index=IGNORE)
    losses = []
    for step, batch in zip(range(given.steps), batches(pages, given.batch_size, given.workers), strict=False):
        loss = measure(model(batch["image"] / 255.0), batch["mask"].long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        print(f"step {step + 1:4d}  epoch {pages.epoch:3d}  loss {loss.item():.4f}", flush=True)
    return losses


if __name__ == "__main__":
    main()
