"""Training: the configuration of a run, its batches, and the loop that carries it out."""
