"""GlowliteError: the one exception for mistakes that a person can correct."""


class GlowliteError(ValueError):
    """A mistake that a person can correct. Its text says what is wrong and what to do."""
