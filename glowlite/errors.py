"""The one exception for mistakes that a person can mend."""


class GlowliteError(ValueError):
    """A mistake a person can mend; its text says what is wrong and what to do."""
