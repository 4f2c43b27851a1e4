"""Classifiers: finding, loading, predicting."""
