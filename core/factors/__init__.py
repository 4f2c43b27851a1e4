"""Sources of instability, one module a factor."""
