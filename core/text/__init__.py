"""Texts: perturbations, tokens, what is seen."""
