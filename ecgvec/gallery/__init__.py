"""One HTML page that shows a folder of images with their labels, and a sheet as notebooks show it."""
