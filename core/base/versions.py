"""Versions of the libraries that a number depends on."""

import numpy
import tokenizers
import torch
import transformers


def versions() -> dict[str, str]:
    """Versions by name, as a record keeps them."""
    return {module.__name__: module.__version__ for module in (torch, transformers, tokenizers, numpy)}
