"""Sources of instability, one module per factor; importing them registers them, in the order in which they are shown."""

from core.factors import formatting, segmentation, dropout, temperature, seeds, numerics  # noqa: F401, I001
