"""Preprocessing: the cleaning that people put before the tokenizer, its single steps and the usual chains of them.

Each step does exactly what the named library or recipe does: somebody's pipeline does it on one occasion and
not on another. A chain runs its steps in order; it is a perturbation of its own, and a person can build another.
"""

import html
import re
import string
import unicodedata
from dataclasses import dataclass
from functools import partial
from operator import methodcaller

import emoji
import ftfy

from core.base.errors import WobbleError
from core.text.perturb.registry import Cut, Perturbation, perturbations, register

URL_PLACEHOLDER = "http"
MENTION_PLACEHOLDER = "@user"
"""What cardiffnlp's tweet models read for every link and every name (`preprocess` on their model cards)."""

# As on those cards, a word is replaced with everything that sticks to it. There only spaces separate words; here any white space
# does, so that the end of a line does not take the first word of the next with it.
URL = re.compile(r"(?<!\S)http\S*")
MENTION = re.compile(r"(?<!\S)@\S+")

# scikit-learn's `ENGLISH_STOP_WORDS` (`sklearn/feature_extraction/_stop_words.py` of 1.9.1), which
# `CountVectorizer(stop_words="english")` uses: copyright 2007-2026 the scikit-learn developers, BSD-3-Clause licence. It
# comes from the Glasgow Information Retrieval Group (http://ir.dcs.gla.ac.uk/resources/linguistic_utils/stop_words).
# It holds "not", "no" and "never", so a text without its stop words can say the opposite.
_STOP_WORDS = """
a about above across after afterwards again against all almost alone along already also although always am among
amongst amoungst amount an and another any anyhow anyone anything anyway anywhere are around as at back be became
because become becomes becoming been before beforehand behind being below beside besides between beyond bill both
bottom but by call can cannot cant co con could couldnt cry de describe detail do done down due during each eg eight
either eleven else elsewhere empty enough etc even ever every everyone everything everywhere except few fifteen
fifty fill find fire first five for former formerly forty found four from front full further get give go had has
hasnt have he hence her here hereafter hereby herein hereupon hers herself him himself his how however hundred i ie
if in inc indeed interest into is it its itself keep last latter latterly least less ltd made many may me meanwhile
might mill mine more moreover most mostly move much must my myself name namely neither never nevertheless next nine
no nobody none noone nor not nothing now nowhere of off often on once one only onto or other others otherwise our
ours ourselves out over own part per perhaps please put rather re same see seem seemed seeming seems serious several
she should show side since sincere six sixty so some somehow someone something sometime sometimes somewhere still
such system take ten than that the their them themselves then thence there thereafter thereby therefore therein
thereupon these they thick thin third this those though three through throughout thru thus to together too top
toward towards twelve twenty two un under until up upon us very via was we well were what whatever when whence
whenever where whereafter whereas whereby wherein whereupon wherever whether which while whither who whoever whole
whom whose why will with within without would yet you your yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

SOURCE = "The stop words are scikit-learn's (BSD-3-Clause), from the Glasgow Information Retrieval Group."
"""Where the list of stop words comes from, in a sentence."""


def _clean_urls(text: str, placeholder: str = URL_PLACEHOLDER) -> str:
    return URL.sub(lambda _: placeholder, text)


def _clean_mentions(text: str, placeholder: str = MENTION_PLACEHOLDER) -> str:
    return MENTION.sub(lambda _: placeholder, text)


# As in BERT's uncased BasicTokenizer: every nonspacing mark goes, the virama of Hindi and the vowels of Arabic with them.
def _clean_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


# As in the Treebank, straight double quotes become `` and ''. nltk takes the text for one sentence: only the period at its
# very end is set apart, one inside stays with its word. A curly apostrophe is set apart like a quotation mark.
def _clean_treebank(text: str) -> str:
    # Importing nltk takes longer than all other imports of this module together (0.4 s against 0.04 s).
    from nltk.tokenize import NLTKWordTokenizer

    return " ".join(NLTKWordTokenizer().tokenize(text))


def _clean_whitespace(text: str) -> str:
    return " ".join(text.split())


def _clean_stop_words(text: str) -> str:
    return " ".join(word for word in text.split() if word.lower() not in STOP_WORDS)


def _truncate(text: str, cut: Cut, tokens: int) -> str | None:
    return cut(text, tokens)


register(
    "preprocessing",
    Perturbation("clean_html", "HTML entities unescaped", html.unescape, ("Tom &amp; Jerry&#39;s", "Tom & Jerry's")),
    Perturbation(
        "clean_mojibake",
        "Mojibake repaired, and quotes, entities, ligatures, width and line ends made plain (ftfy.fix_text)",
        ftfy.fix_text,
        ("schÃ¶n, “donâ€™t”", 'schön, "don\'t"'),
    ),
    Perturbation(
        "clean_nfc",
        "Normalized to Unicode NFC",
        partial(unicodedata.normalize, "NFC"),
        ("Cafe\u0301 noir", "Caf\u00e9 noir"),
    ),
    Perturbation(
        "clean_nfkc",
        "Normalized to Unicode NFKC",
        partial(unicodedata.normalize, "NFKC"),
        ("ﬁlm № ½…", "film No 1⁄2..."),
    ),
    Perturbation(
        "clean_accents",
        "Accents stripped as for BERT",
        _clean_accents,
        ("A café in Málaga", "A cafe in Malaga"),
    ),
    Perturbation("clean_lower", "Lower-cased", str.lower, ("This is a TEST.", "this is a test.")),
    Perturbation(
        "clean_urls",
        "Links replaced by a placeholder",
        _clean_urls,
        ("Look: https://example.com/a?b !", "Look: http !"),
    ),
    Perturbation(
        "clean_mentions",
        "Mentions replaced by a placeholder",
        _clean_mentions,
        ("@bob: mail bob@example.com", "@user mail bob@example.com"),
    ),
    # emoji's default form; BERTweet's normalizer uses it too.
    Perturbation(
        "clean_emoji",
        "Emoji named",
        emoji.demojize,
        ("Great 👍🏽!", "Great :thumbs_up_medium_skin_tone:!"),
    ),
    Perturbation(
        "clean_punctuation",
        "ASCII punctuation stripped, inside words and numbers too",
        methodcaller("translate", str.maketrans("", "", string.punctuation)),
        ("A well-made film: don't go!", "A wellmade film dont go"),
    ),
    Perturbation(
        "clean_treebank",
        "Spaced as in the Penn Treebank, like the texts of SST-2 and GLUE (nltk: of periods only the last is set apart)",
        _clean_treebank,
        ('I don\'t "like" it, sorry.', "I do n't `` like '' it , sorry ."),
    ),
    Perturbation(
        "clean_whitespace",
        "White space collapsed, none at the ends",
        _clean_whitespace,
        (" This \n is\u00a0 a test. ", "This is a test."),
    ),
    # Leaves out "not": not the same sentence.
    Perturbation(
        "clean_stop_words",
        "Stop words removed",
        _clean_stop_words,
        ("This is not a good film", "good film"),
        same_sentence=False,
    ),
    # The examples count words as tokens; a model's own are counted with its special tokens, as for max_length.
    *(
        Perturbation(
            f"truncate_{tokens}",
            f"Truncated to {tokens} tokens",
            partial(_truncate, tokens=tokens),
            ("very " * tokens + "good", ("very " * tokens).strip()),
            needs_cut=True,
        )
        for tokens in (64, 128, 256)
    ),
)


_STEPS = {rule.name: rule for rule in perturbations(["preprocessing"])}


def steps() -> tuple[Perturbation, ...]:
    """The single steps, in the order in which a pipeline would run them."""
    return tuple(_STEPS.values())


@dataclass(frozen=True)
class Chain:
    """Steps in order, by name, and what stands for a link and for a mention.

    Raises WobbleError when one of them is not a step.
    """

    steps: tuple[str, ...]
    url: str = URL_PLACEHOLDER
    mention: str = MENTION_PLACEHOLDER

    def __post_init__(self) -> None:
        for name in self.steps:
            if name not in _STEPS:
                raise WobbleError(f'"{name}" is not a preprocessing step: choose from {", ".join(_STEPS)}.')

    @property
    def needs_cut(self) -> bool:
        """Whether a step truncates, so that only a model's tokenizer can say where."""
        return any(_STEPS[name].needs_cut for name in self.steps)

    def apply(self, text: str, cut: Cut | None = None) -> tuple[str, ...]:
        """The text after each step; a step that does not apply leaves it as it was.

        Raises:
            WobbleError: a step truncates and there is no `cut`.
        """
        if cut is None and self.needs_cut:
            raise WobbleError("A step of this chain truncates: choose a model, whose tokenizer says where.")
        options = {"clean_urls": [self.url], "clean_mentions": [self.mention]}
        after = [text]
        for rule in map(_STEPS.__getitem__, self.steps):
            edited = rule.apply(after[-1], *([cut] if rule.needs_cut else options.get(rule.name, ())))
            after.append(after[-1] if edited is None else edited)
        return tuple(after[1:])

    def __call__(self, text: str, cut: Cut | None = None) -> str:
        """The text after the last step."""
        return self.apply(text, cut)[-1] if self.steps else text


_BAG_OF_WORDS = (
    "clean_html",
    "clean_lower",
    "clean_urls",
    "clean_mentions",
    "clean_punctuation",
    "clean_whitespace",
)

register(
    "preprocessing",
    Perturbation(
        "chain_bag_of_words",
        "Cleaned for a bag of words",
        Chain(_BAG_OF_WORDS),
        ("@bob &quot;Not  BAD&quot;, see https://t.co/x", "user not bad see http"),
    ),
    Perturbation(
        "chain_bag_of_words_no_stop_words",
        "Cleaned for a bag of words, stop words removed",
        Chain((*_BAG_OF_WORDS, "clean_stop_words")),
        ("@bob &quot;Not  BAD&quot;, see https://t.co/x", "user bad http"),
        same_sentence=False,
    ),
    Perturbation(
        "chain_tweet",
        "Cleaned as a tweet is for cardiffnlp's models",
        Chain(("clean_mentions", "clean_urls")),
        ("@bob, see https://t.co/x now", "@user see http now"),
    ),
    Perturbation(
        "chain_glue",
        "Lower-cased and spaced as in SST-2 and GLUE",
        Chain(("clean_lower", "clean_treebank")),
        ("It's good, isn't it?", "it 's good , is n't it ?"),
    ),
    Perturbation(
        "chain_unicode_repair",
        "Unicode repaired: ftfy, NFKC, white space collapsed",
        Chain(("clean_mojibake", "clean_nfkc", "clean_whitespace")),
        ("schÃ¶n\u00a0 № 1 ", "schön No 1"),
    ),
    words=("preprocessing step", "preprocessing steps"),
)

CHAINS = {rule.name: rule.apply for rule in perturbations(["preprocessing"]) if isinstance(rule.apply, Chain)}
"""The usual chains by the names of their perturbations."""
