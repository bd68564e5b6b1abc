"""From a plan to a picture and its labels: the scene in millimetres, the camera, and what the image shows of it."""
