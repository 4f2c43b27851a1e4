"""Families of training seeds."""
