"""Handwriting: a recurrent network that writes notes as pen strokes, and the corpus and training behind it."""
