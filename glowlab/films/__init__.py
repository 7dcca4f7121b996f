"""Films: explorers recorded move by move, played in a page without a kernel."""
