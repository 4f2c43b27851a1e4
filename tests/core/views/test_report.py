"""The report is one file that holds every number of the study, requests nothing from the network, and runs no markup."""

import base64
import json
import re
import shlex
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from core import figure
from core.base.errors import WobbleError
from core.base.versions import versions
from core.base.words import capital
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.study import Study, compare, profile, studies, study
from core.studies.verdict import summary, verdict
from core.text.perturb import variants
from core.views.documents import profile_document, study_document
from core.views.html import number, share, study_html
from core.views.report import quoted, report
from tests.architectures import loaded, save

TEXT = "Even in this less  than magic kingdom, Reese rules."
HOSTILE = "<img src=x onerror=alert(1)> </script><script>alert('two')</script> $x$ & \u202e --> [SEP]\n\u00a0*b*"
LABELS = ["<script>alert(3)</script>", "' onmouseover=alert(4) x='", "a\u202eb & c"]


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


@pytest.fixture(scope="module")
def found(model: Classifier) -> Study:
    return profile(model, TEXT)


@pytest.fixture(scope="module")
def page(model: Classifier, found: Study) -> str:
    return report(model, found)


class Elements(HTMLParser):
    """The names of the tags and attributes of some HTML, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def without_scripts(html: str) -> str:
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def said(html: str) -> str:
    """What one reads, without markup."""
    read = re.sub(r"<[^>]*>", "", without_scripts(html))
    for name, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        read = read.replace(name, character)
    return read


def test_it_is_small_runs_no_script_and_loads_nothing_from_elsewhere(page: str) -> None:
    assert len(page.encode()) < 2_000_000 and "<script" not in page and "default-src 'none'" in page
    assert "http://" not in page and "https://" not in page and "<link" not in page and "url(" not in page


def test_its_picture_has_a_dot_a_case_that_says_what_it_is(page: str, found: Study) -> None:
    wide = re.search(r"<div class='wide'>.*?</svg>", page, re.DOTALL)
    assert wide is not None
    tips = [said(tip) for tip in re.findall(r"<title>(.*?)</title>", wide.group(), re.DOTALL)]
    assert len(tips) == len(found.cases)
    assert {tip.split(":")[0] for tip in tips} == {
        case.called(key).split(":")[0] for key, (_, case) in found.keyed().items()
    }
    assert wide.group().count("l6.5 6.5") == found.flips


def test_the_first_page_is_the_answer(page: str, model: Classifier, found: Study) -> None:
    first = said(page.split("<h1 class='appendix'>")[0])
    today = f"{datetime.now(UTC):%-d %B %Y}"
    trained = "accuracy 86.4% on the labelled movie snippets of the test split, says its card."
    for text in (
        TEXT.replace(" ", "·"),
        summary(found),
        found.reference.label,
        model.id,
        today,
        trained,
        "counts as none",
    ):
        assert text in first, text
    assert "<mark>" in page.split("<h1 class='appendix'>")[0]


def test_a_model_without_a_card_is_said_to_be_trained_on_what_is_unknown(tmp_path: Path) -> None:
    model = loaded(save("bert", tmp_path / "small"))
    assert "What this model was trained on, and how accurate it is, is unknown" in said(
        report(model, study(model, "a", []))
    )


def test_every_number_of_the_rows_stands_in_the_block_of_its_factor(page: str, found: Study) -> None:
    for row in found.rows:
        block = said(re.search(rf"<section class='card' id='{row.name}'>.*?</section>", page, re.DOTALL).group())  # type: ignore[union-attr]
        numbers = [
            f"{row.tried} tried",
            f"{row.flips} flip" if row.can_flip else "tried",
            f"{len(row.moving)} above the noise floor",
        ]
        numbers += [f"Largest shift {number(row.largest_shift)}", f"median {number(row.median_shift)}"]
        if row.factor.edits:
            numbers.append(f"{row.absorbed} absorbed")
        if row.factor.flips_count:
            numbers.append(f"Flip rate {share(row, '95% interval ')}")
        if row.worst is not None:
            assert row.worst.margin is not None
            numbers += [f"{row.worst.margin:+.4f}", f"{row.worst.probabilities.max():.4f}", row.worst.made.said]
        for text in (*numbers, *row.notes):
            assert text in block, (row.name, text)


def test_it_says_what_is_needed_to_trust_and_to_repeat_it(page: str, model: Classifier, found: Study) -> None:
    read = said(page)
    expected = [verdict(found).text, model.weights_hash, model.architecture, f"{model.parameters:,}", found.device]
    expected += [
        f"{found.noise_floor:.4g}",
        "passes 100",
        "family minilm-uncased",
        "python -m core replay",
        *versions().values(),
    ]
    for clause in verdict(found).clauses:
        expected += [clause.said, clause.evidence]
    for text in expected:
        assert text in read, text
    record = re.search(r"base64,([A-Za-z0-9+/=]+)'", page)
    assert record is not None and json.loads(base64.b64decode(record.group(1))) == profile_document(found)


@pytest.mark.parametrize("head", ["single_label_classification", "multi_label_classification", "regression"])
def test_no_text_and_no_label_becomes_markup(tmp_path: Path, head: str) -> None:
    hostile = loaded(save("roberta", tmp_path / "hostile", labels=LABELS, problem_type=head))
    result = profile(hostile, HOSTILE, passes=5)
    html = report(hostile, result)
    assert html.encode()
    assert html.count("<script") == html.count("</script>")
    rest = without_scripts(html)
    for part in (rest, study_html(result), study_html(compare(hostile, HOSTILE, variants(HOSTILE)))):
        elements = Elements(part)
        assert not elements.tags & {"script", "img"} and "\u202e" not in part
        assert not {name for name in elements.attributes if name.startswith("on")}


class Chips(HTMLParser):
    """The tokens that stand on the chips of some HTML, as one reads them, without their ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("class") or ""
        self._open = "token" if tag == "span" and "token" in name.split() else ""
        if self._open:
            self.tokens.append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.tokens[-1] += data


def test_token_chips_of_the_report_are_escaped(model: Classifier) -> None:
    text = "<b>x & y"
    result = study(model, text, ["punctuation"])
    worst = result.rows[0].worst
    assert worst is not None
    html = report(model, result)
    chips = Chips(without_scripts(html)).tokens
    assert chips == [*result.reference.encoding.tokens, *worst.encoding.tokens]
    assert {"<", ">", "&"} <= set(chips)
    assert re.search(r"<span class='token[^']*'>(<|>|&)(?!\w+;)<small>", html) is None


def test_titles_notes_and_names_with_markup_stay_text(model: Classifier) -> None:
    result = study(model, TEXT, ["whitespace"])
    title = "' onclick='alert(5)' <img src=x onerror=alert(6)>"
    row = replace(result.rows[0], title=title, notes=(f"{title} note",), facts={"<img>": "<script>alert(7)</script>"})
    hostile = replace(result, rows=(row,), wanted=(title,))
    html = report(model, hostile)
    assert html.count("<script") == html.count("</script>")
    for part in (without_scripts(html), study_html(hostile)):
        elements = Elements(part)
        assert not elements.tags & {"script", "img"}
        assert not {name for name in elements.attributes if name.startswith("on")}
        assert title in said(part)


def test_a_long_text_is_cut_around_its_edits_and_says_so(tmp_path: Path) -> None:
    small = loaded(save("bert", tmp_path / "small"))
    html = without_scripts(report(small, profile(small, "a fine film, " * 700 + "and a dull end .", passes=3)))
    assert "Truncated: the model reads 100 of" in html and "more characters" in html
    assert "too long for a command line" in html
    assert len(re.sub(r"base64,[^']*", "", html)) < 150_000


def test_a_report_at_another_temperature_says_it_and_offers_no_command_that_would_forget_it(model: Classifier) -> None:
    read = said(report(model, profile(model, "a test", passes=3, temperature=2.0)))
    assert re.search(r"Predicted \w+ at T = 2 by minilm-uncased", read)
    assert "python -m core replay" in read and "python -m core profile" not in read


def test_only_a_complete_profile_of_the_same_model_is_reported(model: Classifier, found: Study) -> None:
    with pytest.raises(WobbleError, match="not complete"):
        report(model, next(studies(model, TEXT)))
    with pytest.raises(WobbleError, match="not of bpe-cased"):
        report(load("bpe-cased"), found)


@pytest.mark.parametrize(
    "text", ["plain", "it's  $HOME `x` \\ !", HOSTILE, "tab\tnewline\n \u200b\u00e9 \U0001f600\u200d'\\"]
)
def test_a_quoted_text_reaches_the_command_as_it_is(text: str) -> None:
    word = quoted(text)
    assert word is not None and word.isprintable()
    command = ["bash", "-c", f"printf %s {word} | od -An -v -tx1"]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    )
    assert bytes.fromhex(found.stdout.replace("\n", "")).decode() == text


def test_what_no_command_line_carries_is_not_quoted() -> None:
    assert quoted("\0") is None
    assert quoted("\ud800") is None
    assert shlex.split(quoted("a b") or "") == ["a b"]


def test_a_notebook_shows_verdict_and_rows(found: Study) -> None:
    html = study_html(found)
    read = said(html)
    assert verdict(found).text in read
    for row in found.rows:
        for text in (row.name, number(row.largest_shift), number(row.median_shift), share(row)):
            assert text in read, text
    assert len(html) < 20_000


def test_a_notebook_shows_a_profile_that_still_grows(model: Classifier) -> None:
    begun = next(studies(model, TEXT))
    assert f"1 of {len(begun.wanted)} factors" in study_html(begun)


def test_a_notebook_shows_what_moves_a_comparison_most(model: Classifier) -> None:
    compared = compare(model, TEXT, variants(TEXT))
    html = study_html(compared)
    first, last = compared.cases[0], compared.cases[-1]
    assert summary(compared) in said(html) and f"{len(compared.cases) - 15} more" in html
    assert number(first.shift) in html and capital(first.made.said) in html
    assert first.name not in html and capital(last.made.said) not in html
    assert study_html(compare(model, TEXT, []))


def test_a_notebook_shows_a_study_by_itself(model: Classifier, found: Study) -> None:
    assert found._repr_html_() == study_html(found)  # type: ignore[attr-defined]


def test_what_lies_beyond_the_limit_is_counted_beside_what_was_tried(tmp_path: Path) -> None:
    small = loaded(save("bert", tmp_path / "small"))
    text = "a fine film, " * 100 + "and a dull end ."
    result = study(small, text, ["whitespace", "punctuation"])
    beyond = {row.name: row.beyond for row in result.rows}
    assert max(beyond.values()) > 0
    for html in (said(study_html(result)), said(report(small, result))):
        assert all(f"{count} beyond the limit" in html for count in beyond.values() if count)
        assert summary(result) in html


def test_a_study_of_some_factors_is_reported_with_its_record(model: Classifier) -> None:
    result = study(model, TEXT, ["dropout"], {"dropout": {"passes": 7, "seed": 3}})
    html = report(model, result)
    assert summary(result) in said(html) and "passes 7" in said(html) and "seed 3" in said(html)
    record = re.search(r"base64,([A-Za-z0-9+/=]+)'", html)
    assert record is not None and json.loads(base64.b64decode(record.group(1))) == study_document(result)
    assert "What the verdict rests on" not in html
    assert "python -m core replay" in html


def test_the_figure_of_a_result_has_a_dot_a_case(model: Classifier, found: Study) -> None:
    drawn = figure(found)
    assert sum(len(trace.x) for trace in drawn.data) == sum(row.tried for row in found.rows)
    compared = compare(model, TEXT, variants(TEXT))
    assert sum(len(trace.x) for trace in figure(compared).data) == len(compared.cases)
    dots = {trace.name: np.asarray(trace.x) for trace in drawn.data}
    assert len(dots["flips the label"]) == found.flips
