"""What people put on a printed page: stamps, bars, ticks, circles; and what goes wrong with the pen.

Importing this package imports every module in its folder, and so fills the registry ``MARKS``.
"""

from ecgvec.components import import_folder
from ecgvec.marks.base import MARKS

__all__ = ["MARKS"]

import_folder(__name__, __path__)
