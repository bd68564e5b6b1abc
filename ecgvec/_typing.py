"""Arrays by their dtype, and the two that are known by their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
BoolArray = NDArray[np.bool_]
Complex64Array = NDArray[np.complex64]
Complex128Array = NDArray[np.complex128]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
IntpArray = NDArray[np.intp]
Uint8Array = NDArray[np.uint8]
Uint16Array = NDArray[np.uint16]

Image = NDArray[np.uint8]
"""A picture, (H, W, 3) uint8 sRGB, red first."""

Points = NDArray[np.float64]
"""Points, (n, 2) float64: x, y in page mm or image px."""
