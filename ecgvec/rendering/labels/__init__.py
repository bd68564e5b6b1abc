"""Labels: derived from the scene by role, in page millimetres, and sent through the warp."""
