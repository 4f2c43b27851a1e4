"""The Preprocessing page: the usual steps and their outcome, and a chain of one's own step by step."""

import re
from pathlib import Path

import pytest

from core.text.perturb.preprocessing import CHAINS
from tests.architectures import save
from tests.pages.test_pages import APP, AppTest, app, state_of, wished, words

PAGE = "pages/preprocessing.py"
TEXT = "This is not a GOOD film &amp; @bob  said so: https://t.co/x !"


def plain(test: AppTest) -> str:
    return words(test).replace("\\", "")


def test_the_finding_counts_the_usual_steps_and_chains_that_say_the_same() -> None:
    said = plain(app(PAGE, sentence=TEXT))
    assert "11 usual preprocessing steps and chains change this text: 4 absorbed by the tokenizer, none flips" in said
    assert "13 of 13 steps" in said


def test_what_changes_the_sentence_is_shown_and_said_not_to_count() -> None:
    said = plain(app(PAGE, sentence=TEXT, step="clean_stop_words"))
    assert "Shown, but not counted" in said and "“Stop words removed”" in said and "BSD-3-Clause" in said
    assert "the prediction becomes positive" in said


def test_steps_that_make_one_text_are_named_together() -> None:
    said = plain(app(PAGE, sentence=TEXT, step="clean_html"))
    assert "HTML entities unescaped; the same text: Mojibake repaired" in said


def test_steps_that_change_nothing_are_named() -> None:
    said = plain(app(PAGE, sentence=TEXT))
    assert re.search(r"leave this text as it is: [^.]*Normalized to Unicode NFC; .*Truncated to 64 tokens", said)


def test_a_chain_shows_the_text_after_each_step_and_itself_as_code() -> None:
    test = app(PAGE, sentence=TEXT, chain=["clean_urls", "clean_lower", "clean_nfc", "clean_whitespace"], url="HTTPURL")
    assert not test.exception and not test.error
    said = re.sub(r"</?(mark|wbr)>", "", words(test))
    after = re.findall(r"w-step'>(.*?)</p>", said)
    assert after == [
        "This·is·not·a·GOOD·film·&amp;amp;·@bob··said·so:·HTTPURL·!",
        "this·is·not·a·good·film·&amp;amp;·@bob··said·so:·httpurl·!",
        "this·is·not·a·good·film·&amp;amp;·@bob··said·so:·httpurl·!",
        "this·is·not·a·good·film·&amp;amp;·@bob·said·so:·httpurl·!",
    ]
    assert said.count("Leaves the text as it is.") == 1
    assert "After the chain" in said
    (code,) = [code.value for code in test.code]
    assert code.index("'HTTPURL'") < code.index("text.lower()") < code.index('" ".join(text.split())')


def test_a_usual_chain_can_be_taken_and_a_step_moved_up() -> None:
    test = app(PAGE, sentence=TEXT)
    assert "No step yet" in plain(test)
    wished(test, chain=list(CHAINS["chain_glue"].steps))
    assert not test.exception
    assert state_of(test).get("chain") == ["clean_lower", "clean_treebank"]
    wished(test, chain=["clean_treebank", "clean_lower"])
    assert not test.exception
    assert [m.value.replace("\\", "") for m in test.main.markdown if "." in m.value][:2] == [
        "**1. Spaced as in the Penn Treebank, like the texts of SST-2 and GLUE (nltk: of periods only the last is set apart)**",
        "**2. Lower-cased**",
    ]


def test_a_chain_that_changes_nothing_says_so() -> None:
    test = app(PAGE, sentence="plain", chain=["clean_lower"])
    assert not test.exception
    assert "leaves your sentence as it is" in plain(test)
    assert "No usual preprocessing step changes this text" in plain(app(PAGE, sentence="plain"))


def test_a_chain_that_truncates_asks_the_tokenizer() -> None:
    test = app(PAGE, sentence="good " * 100, chain=["truncate_64"])
    assert not test.exception and not test.error
    assert "AutoTokenizer.from_pretrained('assets/models/minilm-uncased')" in test.code[0].value


def test_a_text_of_which_nothing_is_left_is_an_answer_or_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = app(PAGE, sentence="!?", chain=["clean_punctuation"])
    assert not test.exception and not test.error
    assert "(an empty text)" in words(test)
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("gpt2", tmp_path / "bare")
    test = app(PAGE, model=[f"{tmp_path.name}/bare"], sentence="!?", chain=["clean_punctuation"])
    assert not test.exception
    assert len(test.error) == 1 and "makes no token" in test.error[0].value.replace("\\", "")


def test_a_link_with_a_step_that_there_is_none_of_is_one_sentence() -> None:
    test = AppTest.from_file(APP, default_timeout=60)
    test.query_params["chain"] = "nonsense"
    test.switch_page(PAGE).run()
    assert not test.exception
    said = [warning.value.replace("\\", "") for warning in test.warning]
    assert said == ["The link asks for chain = nonsense, which is not a preprocessing step: it is left out."]
