"""Training of the handwriting network and of its reader: the corpus, the losses, checkpoints."""
