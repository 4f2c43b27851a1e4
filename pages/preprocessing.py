"""The cleaning that people put before the tokenizer: each step and the usual chains, and a chain of one's own."""

TITLE = "Preprocessing"
ICON = ":material/cleaning_services:"
QUESTION = "What if another pipeline cleaned the text before the tokenizer?"
FACTORS = ("preprocessing",)
