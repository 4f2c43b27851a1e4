"""Studies: a reference, its cases, and what follows from them."""
