"""Pages for PyTorch, drawn as they are asked for; no image is ever written to disk.

    pages = ecgvec.datasets.EcgImages("records", recipe="phone-photo", seed=1, dpi=100)
    loader = DataLoader(pages, batch_size=8, shuffle=True, num_workers=4, collate_fn=ecgvec.datasets.collate)

``EcgImages`` is a map-style Dataset, ``EcgStream`` an iterable one. Page k of epoch e is the same bytes whatever the
number of workers and the order. This package needs PyTorch; nothing else of ecgvec imports it.
"""

from __future__ import annotations

try:
    from ecgvec.datasets.datasets import EcgImages, EcgStream
    from ecgvec.datasets.items import BOX_CLASSES, FILL, IGNORE, LABELS, MASK_CLASSES, collate
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ImportError("ecgvec.datasets needs PyTorch: pip install 'ecgvec[train]'", name="torch") from error

__all__ = ["BOX_CLASSES", "FILL", "IGNORE", "LABELS", "MASK_CLASSES", "EcgImages", "EcgStream", "collate"]
