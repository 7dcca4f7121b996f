"""A worked answer to every exercise, in a file for each notebook, named as its checks are.

A function or class here has exactly the exercise's name and signature, and uses only what the notebook has at that
point: `check.NAME.solution()` shows its source, to be pasted. The imports and helpers on top stand for what the
notebook imported and wrote before. GLOWLITE_SOLUTIONS=off in the environment hides these answers from a class.
"""
