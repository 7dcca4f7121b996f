"""glowlab: what teaches with glowlite. Widgets, figures, explorers, checks, pages, and the server of all of them."""
