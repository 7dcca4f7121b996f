"""Checks for the notebooks' exercises: what was written is run on fresh random inputs, a mistake is named.

A module for each notebook, named after it; where one would be too long, a second one carries its name and a word
more. base.py says how a check is written, answers.py holds what several share, predict.py the questions asked
before a cell runs.
"""

from glowlab.checks.predict import Prediction

__all__ = ["Prediction"]
