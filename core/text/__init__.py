"""Texts: perturbations, tokens, hidden characters made visible."""
