"""What a page is drawn with: painted paths in groups, and text as outlines."""
