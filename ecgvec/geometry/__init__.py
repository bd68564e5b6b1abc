"""Plane geometry: affine maps, paths, glyph outlines. Knows nothing of ECGs."""
