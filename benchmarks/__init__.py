"""Speed, as a ratio against what a user would do otherwise, measured in one run: `python -m benchmarks`."""

MODELS = ("minilm-uncased", "bpe-cased", "unigram-cased")
"""The embedded models, one for each tokenizer."""
