"""Recipes: what may happen to a page, with what probability and from which distribution."""
