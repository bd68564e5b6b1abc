"""The page as vectors: a small tree of marks in millimetres, each with a role, an id and its meaning."""
