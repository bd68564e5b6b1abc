"""Maps between the page in millimetres and the image in pixels. A warp never sees pixels.

Importing this package imports every module in its folder, and so fills the registry ``WARPS``.
"""

from ecgvec.components import import_folder
from ecgvec.warp.parts import WARPS

__all__ = ["WARPS"]

import_folder(__name__, __path__)
