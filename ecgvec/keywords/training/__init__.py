"""How the shipped keyword model is made: training text from word lists and sentence patterns, training, scoring."""
