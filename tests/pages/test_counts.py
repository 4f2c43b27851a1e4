"""The same edits count, and the same flips, on every page."""

import re
from pathlib import Path

import pytest

from core.data.snippets import gallery
from core.families.members import family_of
from core.models.catalog import load
from core.studies.steps import made_by_edits, usual_steps
from core.studies.study import profile
from tests.architectures import save
from tests.pages.test_pages import app, words

COUNTS = re.compile(
    r"(\d+) edits?: (\d+) absorbed by the tokenizer, (\d+) reach(?:es)? the model, (\d+|none) flips? it"
)
PAGES = ("overview", "perturb", "dropout", "seeds", "temperature")
TEXTS = (gallery()[0].text, "NOT bad, isn't it? I'm sure. ")


@pytest.mark.parametrize("model", ["minilm-uncased", "bpe-cased"])
@pytest.mark.parametrize("text", TEXTS, ids=["the first example", "a short one"])
def test_one_sentence_has_the_same_counts_on_every_page(text: str, model: str) -> None:
    # The Seeds page speaks of the embedded family, whatever model is chosen that has none.
    pages = [page for page in PAGES if page != "seeds" or family_of(model)]
    said = {page: COUNTS.findall(words(app(f"pages/{page}.py", sentence=text, model=[model]))) for page in pages}
    print(*said.items(), sep="\n")
    (counts,) = {found for page in said for found in said[page]}
    assert all(said.values()) and int(counts[0]) == int(counts[1]) + int(counts[2]) > 20


def test_a_text_beyond_the_limit_has_the_same_counts_on_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    test_one_sentence_has_the_same_counts_on_every_page(
        "a fine film, " * 100 + "and a dull end .", f"{tmp_path.name}/{save('bert', tmp_path / 'small').name}"
    )


@pytest.mark.parametrize("text", TEXTS)
def test_a_step_that_an_edit_makes_too_is_counted_once(text: str) -> None:
    steps = usual_steps(load(), text)
    assert steps.tried - made_by_edits(steps) == profile(load(), text, passes=1)["preprocessing"].tried
