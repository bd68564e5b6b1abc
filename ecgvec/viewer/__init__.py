"""Looking at what was made: overlays, contact sheets, the demo page, the gallery, and notebooks."""
