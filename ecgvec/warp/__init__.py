"""Maps between the page in millimetres and the image in pixels. A warp never sees pixels."""
