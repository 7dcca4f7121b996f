"""Checks for the notebooks' exercises: what was written is run on fresh random inputs, a mistake is named.

One module for each notebook; base.py says how a check is written, predict.py holds the questions asked before
a cell runs.
"""

from glowlab.checks.predict import Prediction

__all__ = ["Prediction"]
