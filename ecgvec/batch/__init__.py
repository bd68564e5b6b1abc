"""Many records: which ones there are, one after another, and what became of each."""
