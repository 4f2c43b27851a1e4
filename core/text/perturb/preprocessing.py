"""Preprocessing: the cleaning that people put before the tokenizer, its single steps and the usual chains of them.

Each step does what the named library or recipe does, no more carefully: somebody's pipeline does it on one occasion and
not on another. A chain runs its steps in order; it is a perturbation of its own, and a person can build another.
"""

import html
import re
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import emoji
import ftfy

from core.base.errors import WobbleError
from core.text.perturb.registry import Cut, Perturbation, perturbation, perturbations
from core.text.perturb.stop_words import STOP_WORDS

URL_PLACEHOLDER = "http"
MENTION_PLACEHOLDER = "@user"
"""What cardiffnlp's tweet models read for every link and every name (`preprocess` on their model cards)."""

# On those cards a word is what stands between two spaces, and is replaced with everything that sticks to it.
URL = re.compile("(?<![^ ])http[^ ]*")
MENTION = re.compile("(?<![^ ])@[^ ]+")

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class _Words(Protocol):
    def tokenize(self, text: str) -> list[str]: ...


@perturbation("HTML entities unescaped", example=("Tom &amp; Jerry&#39;s", "Tom & Jerry's"))
def clean_html(text: str) -> str:
    return html.unescape(text)


@perturbation(
    "Mojibake repaired, and quotes, ligatures and width made plain (ftfy.fix_text)",
    example=("schÃ¶n, “donâ€™t”", 'schön, "don\'t"'),
)
def clean_mojibake(text: str) -> str:
    return ftfy.fix_text(text)


@perturbation("Normalized to Unicode NFC", example=("Cafe\u0301 noir", "Caf\u00e9 noir"))
def clean_nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@perturbation("Normalized to Unicode NFKC", example=("ﬁlm № ½…", "film No 1⁄2..."))
def clean_nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


# As in BERT's uncased BasicTokenizer: every nonspacing mark goes, the virama of Hindi and the vowels of Arabic with them.
@perturbation("Accents stripped as for BERT", example=("A café in Málaga", "A cafe in Malaga"))
def clean_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


@perturbation("Lower-cased", example=("This is a TEST.", "this is a test."))
def clean_lower(text: str) -> str:
    return text.lower()


@perturbation("Links replaced by a placeholder", example=("Look: https://example.com/a?b !", "Look: http !"))
def clean_urls(text: str, placeholder: str = URL_PLACEHOLDER) -> str:
    return URL.sub(lambda _: placeholder, text)


@perturbation(
    "Mentions replaced by a placeholder", example=("@bob: mail bob@example.com", "@user mail bob@example.com")
)
def clean_mentions(text: str, placeholder: str = MENTION_PLACEHOLDER) -> str:
    return MENTION.sub(lambda _: placeholder, text)


# emoji's default form; BERTweet's normalizer uses it too.
@perturbation("Emoji named", example=("Great 👍🏽!", "Great :thumbs_up_medium_skin_tone:!"))
def clean_emoji(text: str) -> str:
    return emoji.demojize(text)


@perturbation(
    "ASCII punctuation stripped, inside words and numbers too",
    example=("A well-made film: don't go!", "A wellmade film dont go"),
)
def clean_punctuation(text: str) -> str:
    return text.translate(_NO_PUNCTUATION)


# As in the Treebank, straight double quotes become `` and ''. nltk takes the text for one sentence: only the period at its
# very end is set apart, one inside stays with its word. A curly apostrophe is set apart like a quotation mark.
@perturbation(
    "Spaced as in the Penn Treebank, like the texts of SST-2 and GLUE",
    example=('I don\'t "like" it, sorry.', "I do n't `` like '' it , sorry ."),
)
def clean_treebank(text: str) -> str:
    return " ".join(_treebank().tokenize(text))


@perturbation("White space collapsed, none at the ends", example=(" This \n is\u00a0 a test. ", "This is a test."))
def clean_whitespace(text: str) -> str:
    return " ".join(text.split())


# Leaves out "not": not the same sentence.
@perturbation("Stop words removed", example=("This is not a good film", "good film"), same_sentence=False)
def clean_stop_words(text: str) -> str:
    return " ".join(word for word in text.split() if word.lower() not in STOP_WORDS)


# The examples count words as tokens; a model's own are counted with its special tokens, as for max_length.
@perturbation("Truncated to 64 tokens", example=("very " * 64 + "good", ("very " * 64).strip()))
def truncate_64(text: str, cut: Cut) -> str | None:
    return cut(text, 64)


@perturbation("Truncated to 128 tokens", example=("very " * 128 + "good", ("very " * 128).strip()))
def truncate_128(text: str, cut: Cut) -> str | None:
    return cut(text, 128)


@perturbation("Truncated to 256 tokens", example=("very " * 256 + "good", ("very " * 256).strip()))
def truncate_256(text: str, cut: Cut) -> str | None:
    return cut(text, 256)


@dataclass(frozen=True)
class Chain:
    """Steps in order, by name, and what stands for a link and for a mention.

    Raises WobbleError when one of them is not a step.
    """

    steps: tuple[str, ...]
    url: str = URL_PLACEHOLDER
    mention: str = MENTION_PLACEHOLDER

    def __post_init__(self) -> None:
        known = _rules()
        for name in self.steps:
            if name not in known or name in CHAINS:
                names = ", ".join(rule.name for rule in steps())
                raise WobbleError(f'"{name}" is not a preprocessing step: choose from {names}.')

    @property
    def needs_cut(self) -> bool:
        """Whether a step truncates, so that only a model's tokenizer can say where."""
        return any(_rules()[name].needs_cut for name in self.steps)

    def apply(self, text: str, cut: Cut | None = None) -> tuple[str, ...]:
        """The text after each step; a step that does not apply leaves it as it was.

        Raises:
            WobbleError: a step truncates and there is no `cut`.
        """
        if cut is None and self.needs_cut:
            raise WobbleError("A step of this chain truncates: choose a model, whose tokenizer says where.")
        options: dict[str, str] = {"clean_urls": self.url, "clean_mentions": self.mention}
        after, rules = [], _rules()
        for name in self.steps:
            rule = rules[name]
            more = [cut] if rule.needs_cut else [options[name]] if name in options else []
            edited = rule.apply(text, *more)
            text = text if edited is None else edited
            after.append(text)
        return tuple(after)

    def __call__(self, text: str, cut: Cut | None = None) -> str:
        """The text after the last step."""
        return self.apply(text, cut)[-1] if self.steps else text


CHAINS: dict[str, Chain] = {}
"""The usual chains by the names of their perturbations."""


def steps() -> tuple[Perturbation, ...]:
    """The single steps, in the order in which a pipeline would take them."""
    return tuple(rule for rule in _rules().values() if rule.name not in CHAINS)


def _chain(name: str, description: str, *names: str, example: tuple[str, str], same_sentence: bool = True) -> None:
    """Declare a usual chain and register it as a perturbation."""
    chain = Chain(names)

    def rule(text: str) -> str:
        return chain(text)

    rule.__name__ = name
    perturbation(description, example=example, same_sentence=same_sentence)(rule)
    CHAINS[name] = chain


def _rules() -> dict[str, Perturbation]:
    return {rule.name: rule for rule in perturbations(["preprocessing"])}


@lru_cache
def _treebank() -> _Words:
    # Importing nltk takes longer than all other imports of this module together (0.4 s against 0.04 s).
    from nltk.tokenize import NLTKWordTokenizer

    tokenizer: _Words = NLTKWordTokenizer()
    return tokenizer


_BAG_OF_WORDS = (
    "clean_html",
    "clean_lower",
    "clean_urls",
    "clean_mentions",
    "clean_punctuation",
    "clean_whitespace",
)

_chain(
    "chain_bag_of_words",
    "Cleaned for a bag of words",
    *_BAG_OF_WORDS,
    example=("@bob &quot;Not  BAD&quot;, see https://t.co/x", "user not bad see http"),
)
_chain(
    "chain_bag_of_words_no_stop_words",
    "Cleaned for a bag of words, stop words removed",
    *_BAG_OF_WORDS,
    "clean_stop_words",
    example=("@bob &quot;Not  BAD&quot;, see https://t.co/x", "user bad http"),
    same_sentence=False,
)
_chain(
    "chain_tweet",
    "Cleaned as a tweet is for cardiffnlp's models",
    "clean_mentions",
    "clean_urls",
    example=("@bob, see https://t.co/x now", "@user see http now"),
)
_chain(
    "chain_glue",
    "Lower-cased and spaced as in SST-2 and GLUE",
    "clean_lower",
    "clean_treebank",
    example=("It's good, isn't it?", "it 's good , is n't it ?"),
)
_chain(
    "chain_unicode_repair",
    "Unicode repaired: ftfy, NFKC, white space collapsed",
    "clean_mojibake",
    "clean_nfkc",
    "clean_whitespace",
    example=("schÃ¶n\u00a0 № 1 ", "schön No 1"),
)
