"""What happens to a page's pixels and what light falls on them. Effects move nothing.

Importing this package imports every module in its folder, and so fills the registry ``EFFECTS``.
"""

from ecgvec.components import import_folder
from ecgvec.effects.base import EFFECTS

__all__ = ["EFFECTS"]

import_folder(__name__, __path__)
