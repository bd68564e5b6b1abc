"""An ECG inside a bigger page: a letter, a form, a scan of a book.

``place`` puts the vector page into any SVG. ``page``, ``photograph`` and ``save`` take such a page through the warps
and effects of a recipe, with all labels. ``Layer`` is a sheet cut out for compositors that work in pixels. See
docs/embedding.md.
"""

from ecgvec.embed.layer import Layer, for_opencv, from_opencv
from ecgvec.embed.page import Page, page
from ecgvec.embed.photograph import Photograph, coco, photograph, save
from ecgvec.embed.place import Inset, Placed, place

__all__ = [
    "Inset",
    "Layer",
    "Page",
    "Photograph",
    "Placed",
    "coco",
    "for_opencv",
    "from_opencv",
    "page",
    "photograph",
    "place",
    "save",
]
