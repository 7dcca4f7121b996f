"""Data to learn from: drawn faces, points in the plane, and pictures from data sets and folders."""
