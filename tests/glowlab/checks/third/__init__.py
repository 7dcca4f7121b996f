"""Answers to the exercises in a third style, a file for each notebook; they are only called."""
