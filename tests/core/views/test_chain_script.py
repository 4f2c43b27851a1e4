"""The code of a chain, on the public libraries alone, makes exactly the texts that the engine makes."""

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from core.base.errors import WobbleError
from core.text.perturb.preprocessing import CHAINS, Chain, steps
from core.text.tokens import TextEncoder
from core.text.truncation import cutter
from core.views.scripts.chain import _CODE, chain_code
from tests.architectures import byte_level, unigram, wordpiece

ROOT = Path(__file__).parents[3]
MODEL = "assets/models/minilm-uncased"
STEPS = [rule.name for rule in steps()]
CORPUS = [
    "",
    "  \n\t ",
    "This is not a test.",
    "@bob &quot;Don't  STOP&quot;, see https://t.co/x?a=b&amp;c=d now: http",
    "@a\n@b\thttp://x @ .@c",
    "Ã©tÃ© â€œquotesâ€\x9d ﬁ Ｆｕｌｌ ½ № İ ß e\u0301 Å हिन्दी 한 \u1112\u1161",
    "\"''``' 'tis gonna cannot can't 3.5, $5 -- (x) [y]... wait... “curly” don’t",
    "👩\u200d👩\u200d👧 ❤️ 🇫🇷 1\ufe0f\u20e3 ©",
    "\\1 \\g<0> {{ text }} {% raw %} '''\"\"\" %s \\",
    "\0 \u202e \u200b \ufeff \x1b[1m &#0; &#xD800; &lt;script&gt;",
    "a.)\"' . . . !?!?",
    "The film is good, and it isn't bad at all; see @bob. " * 60,
    "x" * 500,
    "हिन्दी 👍🏽 " * 150,
]
CHOSEN = [
    *(Chain((name,)) for name in STEPS),
    *CHAINS.values(),
    Chain(()),
    Chain(tuple(STEPS)),
    Chain((*STEPS[::-1], "clean_lower", "clean_lower")),
    Chain(("clean_mentions", "clean_urls"), url="'\\1\n\"", mention="{{ \\g<0> }}"),
]


def function_of(code: str) -> Callable[[str], str]:
    names: dict[str, Any] = {}
    exec(compile(code, "preprocess.py", "exec"), names)
    function: Callable[[str], str] = names["preprocess"]
    return function


def test_every_step_has_its_code_and_nothing_else_has() -> None:
    assert set(_CODE) == set(STEPS)
    for expression, *imports in _CODE.values():
        ast.parse(expression.replace("{url}", "0").replace("{mention}", "0"), mode="eval")
        assert all(isinstance(ast.parse(line).body[0], ast.Import | ast.ImportFrom) for line in imports)


@pytest.mark.parametrize("chain", CHOSEN, ids=lambda chain: "+".join(chain.steps)[:60] or "none")
def test_code_makes_the_texts_of_the_chain(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cut = cutter(TextEncoder(AutoTokenizer.from_pretrained(MODEL), 128))
    preprocess = function_of(chain_code(chain, "", MODEL))
    for text in CORPUS:
        assert preprocess(text) == chain(text, cut), text


def test_code_of_all_steps_makes_the_texts_of_the_chain_for_any_text() -> None:
    chain = Chain(tuple(name for name in STEPS if not name.startswith("truncate")))
    preprocess = function_of(chain_code(chain, ""))

    @settings(deadline=None, max_examples=300)
    @given(st.text())
    def check(text: str) -> None:
        assert preprocess(text) == chain(text)

    check()


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("make", [wordpiece, byte_level, unigram])
def test_code_cuts_where_the_engine_does_whatever_the_tokenizer(
    make: Callable[[], PreTrainedTokenizerBase], side: str, tmp_path: Path
) -> None:
    make().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tmp_path, truncation_side=side).save_pretrained(tmp_path)
    encoder = TextEncoder(AutoTokenizer.from_pretrained(tmp_path), 512)
    assert encoder.truncation_side == side
    cut = cutter(encoder)
    chain = Chain(("truncate_64",))
    preprocess = function_of(chain_code(chain, "", str(tmp_path)))
    # Emoji of several tokens and composed letters, moved along so that every part of one comes to lie at the cut.
    for piece in ("👍", "e\u0301", "test é, "):
        for moved in range(6):
            text = "a" * moved + piece * 100 + "b" * moved
            found = preprocess(text)
            assert found == chain(text, cut)
            assert (text.endswith if side == "left" else text.startswith)(found)
    assert found != text


@pytest.mark.parametrize("text", [CORPUS[3], CORPUS[8]])
def test_script_runs_alone_and_prints_the_text(text: str, tmp_path: Path) -> None:
    """Isolated (`-I`) and elsewhere, so that nothing of Wobble can be imported."""
    chain = Chain(
        (*CHAINS["chain_bag_of_words_no_stop_words"].steps, "clean_emoji", "clean_treebank", "clean_mojibake")
    )
    script = tmp_path / "preprocess.py"
    script.write_text(chain_code(chain, text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == chain(text) + "\n"


@pytest.mark.parametrize("chain", CHOSEN, ids=lambda chain: "+".join(chain.steps)[:60] or "none")
def test_code_imports_only_what_it_uses_and_names_what_to_install(chain: Chain) -> None:
    code = chain_code(chain, "A text.", MODEL)
    tree = ast.parse(code)
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used
    assert ("pip install" in code) == bool(imported & {"emoji", "ftfy", "NLTKWordTokenizer", "AutoTokenizer"})
    assert ("STOP_WORDS" in code) == ("clean_stop_words" in chain.steps)
    assert code == "\n".join(line.rstrip() for line in code.split("\n"))
    assert "\n\n\n\n" not in code


def test_code_that_truncates_needs_a_tokenizer() -> None:
    with pytest.raises(WobbleError, match="truncates: choose a model"):
        chain_code(Chain(("truncate_64",)), "A text.")
