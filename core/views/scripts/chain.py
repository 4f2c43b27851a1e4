"""A preprocessing chain as a short Python script on the public libraries, without Wobble."""

import sys
from importlib.metadata import version

from core.base.errors import WobbleError
from core.text.perturb.preprocessing import MENTION, STOP_WORDS, URL, Chain
from core.views.scripts.render import Code, render

_CODE: dict[str, tuple[str, ...]] = {
    "clean_html": ("html.unescape(text)", "import html"),
    "clean_mojibake": ("ftfy.fix_text(text)", "import ftfy"),
    "clean_nfc": ('unicodedata.normalize("NFC", text)', "import unicodedata"),
    "clean_nfkc": ('unicodedata.normalize("NFKC", text)', "import unicodedata"),
    "clean_accents": (
        '"".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")',
        "import unicodedata",
    ),
    "clean_lower": ("text.lower()",),
    "clean_urls": (f"re.sub({URL.pattern!a}, lambda _: {{url}}, text)", "import re"),
    "clean_mentions": (f"re.sub({MENTION.pattern!a}, lambda _: {{mention}}, text)", "import re"),
    "clean_emoji": ("emoji.demojize(text)", "import emoji"),
    "clean_punctuation": ('text.translate(str.maketrans("", "", string.punctuation))', "import string"),
    "clean_treebank": ('" ".join(NLTKWordTokenizer().tokenize(text))', "from nltk.tokenize import NLTKWordTokenizer"),
    "clean_whitespace": ('" ".join(text.split())',),
    "clean_stop_words": ('" ".join(word for word in text.split() if word.lower() not in STOP_WORDS)',),
    **{
        f"truncate_{tokens}": (
            f"truncate(text, {tokens})",
            "import unicodedata",
            "from transformers import AutoTokenizer",
        )
        for tokens in (64, 128, 256)
    },
}
"""What each step does, as an expression, and the imports that it needs."""


def chain_code(chain: Chain, text: str, tokenizer: str | None = None) -> str:
    """A script with a function `preprocess(text)` that does what the chain does, and prints what becomes of `text`.

    Args:
        tokenizer: where transformers finds the tokenizer that truncates, a directory or a hub id.

    Raises:
        WobbleError: a step truncates and no tokenizer is given.
    """
    if chain.needs_cut and tokenizer is None:
        raise WobbleError("A step of this chain truncates: choose a model, whose tokenizer says where.")
    # By package; another version of a public one may make another text.
    imports = {line.split()[1].partition(".")[0]: line for step in chain.steps for line in _CODE[step][1:]}
    public = sorted(imports.keys() - sys.stdlib_module_names)
    placeholders = {"url": ascii(chain.url), "mention": ascii(chain.mention)}
    return render(
        "chain",
        chain=chain,
        text=text,
        tokenizer=tokenizer,
        packages=[f"{name}=={version(name)}" for name in public],
        standard=sorted(imports[name] for name in imports.keys() & sys.stdlib_module_names),
        public=[imports[name] for name in public],
        code={step: Code(_CODE[step][0].format(**placeholders)) for step in chain.steps},
        stop_words=sorted(STOP_WORDS),
    )
