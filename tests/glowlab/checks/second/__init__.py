"""Answers to the exercises in another style: loops, slices, tensors filled in place, einsum, numpy.

A file for each notebook, named as its checks are; pasted into the notebooks, too, so it uses only what they have.
"""
