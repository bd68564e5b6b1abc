"""Texts from the web: addresses checked, pages fetched within limits, and their HTML turned into plain text."""
