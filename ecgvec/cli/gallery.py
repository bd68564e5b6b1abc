"""``ecgvec gallery``: a folder of images as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecgvec.errors import printable


def gallery(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of images with their JSON and NPZ.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page to write.", show_default="DIR/gallery.html")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many images at the most; the first are shown.")] = 200,
    title: Annotated[
        str | None, typer.Option("--title", help="What the page is called.", show_default="the folder's name")
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Keep the images as they are, instead of JPEGs of quality 85.")
    ] = False,
) -> None:
    """Write one HTML page that shows a folder of images: labels in layers, values under the pointer, no network."""
    from ecgvec.viewer.gallery import write_gallery

    done = write_gallery(folder, out, title=title, most=most, lossless=lossless)
    for reason in done.failed:
        typer.echo(f"not shown: {reason}", err=True)
    left = done.found - done.shown - len(done.failed)
    more = f", the first of {done.found} (--most {done.found} shows all)" if left else ""
    images = f"{done.shown} image{'' if done.shown == 1 else 's'}{more}"
    typer.echo(printable(f"{done.path}: {images}, {done.size / 1e6:.1f} MB"))
    if done.failed:
        raise typer.Exit(1)
