"""A preprocessing chain as a short Python script on the public libraries, without Wobble."""

from importlib.metadata import version

from core.base.errors import WobbleError
from core.text.perturb import Perturbation
from core.text.perturb.preprocessing import MENTION, STOP_WORDS, URL, Chain, steps
from core.views.scripts.render import render

_STANDARD = {
    "clean_html": "import html",
    "clean_urls": "import re",
    "clean_mentions": "import re",
    "clean_punctuation": "import string",
    "clean_nfc": "import unicodedata",
    "clean_nfkc": "import unicodedata",
    "clean_accents": "import unicodedata",
    "truncate": "import unicodedata",
}
_PUBLIC = {
    "clean_emoji": ("emoji", "import emoji"),
    "clean_mojibake": ("ftfy", "import ftfy"),
    "clean_treebank": ("nltk", "from nltk.tokenize import NLTKWordTokenizer"),
    "truncate": ("transformers", "from transformers import AutoTokenizer"),
}


def chain_code(chain: Chain, text: str, tokenizer: str | None = None) -> str:
    """A script with a function `preprocess(text)` that does what the chain does, and prints what becomes of `text`.

    Args:
        tokenizer: where transformers finds the tokenizer that truncates, a directory or a hub id.

    Raises:
        WobbleError: a step truncates and no tokenizer is given.
    """
    if chain.needs_cut and tokenizer is None:
        raise WobbleError("A step of this chain truncates: choose a model, whose tokenizer says where.")
    limits = {rule.name: _limit(rule) for rule in steps() if rule.needs_cut and rule.name in chain.steps}
    used = {*chain.steps, "truncate"} if limits else set(chain.steps)
    public = sorted({_PUBLIC[name] for name in used & _PUBLIC.keys()})
    return render(
        "chain",
        chain=chain,
        text=text,
        tokenizer=tokenizer,
        # Another version may make another text.
        packages=[f"{name}=={version(name)}" for name, _ in public],
        standard=sorted({_STANDARD[name] for name in used & _STANDARD.keys()}),
        public=[line for _, line in public],
        limits=limits,
        url=URL.pattern,
        mention=MENTION.pattern,
        stop_words=sorted(STOP_WORDS),
    )


def _limit(rule: Perturbation) -> int:
    """The number of tokens at which a rule cuts, as the rule itself asks for it."""
    asked: list[int] = []
    rule.apply("", lambda _, tokens: asked.append(tokens))
    return asked[0]
