"""A torch data loader: pages drawn while a network learns, new ones in each epoch, none on disk.

    python examples/cookbook/10_torch_loader.py path/of/records

Defaults: --epochs 2, --batch 8, --workers 4, --dpi 100. You need `pip install '.[train]'`.
"""

from __future__ import annotations

import argparse

from torch.utils.data import DataLoader

from ecgvec.datasets import BOX_CLASSES, EcgImages, collate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("records")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--dpi", type=float, default=100)
    given = parser.parse_args()

    recipe = {"clean": 1, "phone-photo": 3}  # one of them for each record and epoch, by weight
    pages = EcgImages(given.records, recipe, seed=1, dpi=given.dpi, labels=["mask", "boxes"])
    loader = DataLoader(
        pages,
        batch_size=given.batch,
        shuffle=True,
        num_workers=given.workers,
        persistent_workers=given.workers > 0,
        collate_fn=collate,
    )
    for epoch in range(given.epochs):
        pages.set_epoch(epoch)
        for batch in loader:
            images, masks = batch["image"], batch["mask"]  # (B, 3, H, W) and (B, H, W), uint8
            kinds = {BOX_CLASSES[k] for classes in batch["box_classes"] for k in classes.tolist()}
            print(
                f"epoch {epoch}: images {tuple(images.shape)}, masks {tuple(masks.shape)}, {len(kinds)} kinds of boxes"
            )
            # loss = network(images / 255.0) ... here your training goes


if __name__ == "__main__":
    main()
