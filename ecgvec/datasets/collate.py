"""Pages of varying sizes in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

FILL = 255  # of padded pixels of images: white, as blank paper is
IGNORE = 255  # the class of padded pixels of masks: give it to a loss as ``ignore_index``


def collate(batch: Sequence[dict[str, Any]], multiple: int = 1) -> dict[str, Any]:
    """A batch of items, for DataLoader's ``collate_fn``.

    Pages stand at the top left, so that px coordinates stay true, and are padded on the right and below to the greatest
    height and width, rounded up to a ``multiple`` of px: ``image`` (B, 3, H, W) uint8 with ``FILL``, ``mask`` (B, H, W)
    uint8 with ``IGNORE``. ``sizes`` (B, 2) int64 are the pages' own heights and widths. All else is a list of B.
    """
    if multiple < 1:
        raise ValueError(f"multiple is {multiple}: give a number of px of at least 1")
    sizes = torch.stack([item["size"] for item in batch])
    height, width = (-(-side // multiple) * multiple for side in sizes.amax(dim=0).tolist())
    joined: dict[str, Any] = {}
    for key in batch[0]:
        values = [item[key] for item in batch]
        if key in ("image", "mask"):
            joined[key] = _padded(values, height, width, FILL if key == "image" else IGNORE)
        elif key == "size":
            joined["sizes"] = sizes
        else:
            joined[key] = values
    return joined


def _padded(planes: Sequence[torch.Tensor], height: int, width: int, fill: int) -> torch.Tensor:
    """Tensors (..., h, w) of one kind as one (B, ..., height, width)."""
    whole = planes[0].new_full((len(planes), *planes[0].shape[:-2], height, width), fill)
    for place, plane in zip(whole, planes, strict=True):
        place[..., : plane.shape[-2], : plane.shape[-1]] = plane
    return whole
