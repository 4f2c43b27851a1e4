"""Versions of the libraries that a number depends on."""

from importlib.metadata import version


def versions() -> dict[str, str]:
    """Versions by name, as a record keeps them."""
    return {name: version(name) for name in ("torch", "transformers", "tokenizers", "numpy")}
