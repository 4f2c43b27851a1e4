"""The report is one file that says every number of the profile, asks nothing of the network, and runs nobody's markup."""

import base64
import json
import re
import shlex
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from core import figure
from core.base.errors import WobbleError
from core.base.versions import versions
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.compare import compare
from core.studies.profile import FACTORS, Profile, described, profile, profiles
from core.studies.verdict import verdict
from core.text.perturb import variants
from core.views.documents import profile_document
from core.views.html import number, share
from core.views.report import quoted, report
from tests.architectures import loaded, save

TEXT = "Even in this less  than magic kingdom, Reese rules."
HOSTILE = "<img src=x onerror=alert(1)> </script><script>alert('two')</script> $x$ & \u202e --> [SEP]\n\u00a0*b*"
LABELS = ["<script>alert(3)</script>", "' onmouseover=alert(4) x='", "a\u202eb & c"]


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


@pytest.fixture(scope="module")
def found(model: Classifier) -> Profile:
    return profile(model, TEXT)


@pytest.fixture(scope="module")
def page(model: Classifier, found: Profile) -> str:
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


def test_plotly_stands_in_it_once_and_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert page.count("* plotly.js v") == 1
    read = without_scripts(page)
    assert "http://" not in read and "https://" not in read and "<link" not in read and "url(" not in read
    assert re.search(r"<script[^>]*\ssrc", page) is None
    assert "default-src 'none'" in read


def test_every_number_of_the_rows_stands_in_the_block_of_its_factor(page: str, found: Profile) -> None:
    for factor in FACTORS:
        row = found[factor]
        block = said(re.search(rf"<section class='card' id='{factor}'>.*?</section>", page, re.DOTALL).group())  # type: ignore[union-attr]
        numbers = [f"{row.tried} tried", f"{row.flips} flip", f"{len(row.moving)} above the noise floor"]
        numbers += [f"Largest shift {number(row.largest_shift)}", f"median {number(row.median_shift)}"]
        if row.cases and row.cases[0].row is not None:
            numbers.append(f"{row.absorbed} absorbed")
        if factor != "temperature":
            numbers.append(f"Flip rate {share(row, '95 % interval ')}")
        if row.worst is not None:
            assert row.worst.margin is not None
            numbers += [f"{row.worst.margin:+.4f}", f"{row.worst.probabilities.max():.4f}", described(row.worst)]
        for text in (*numbers, *row.notes):
            assert text in block, (factor, text)


def test_it_says_what_is_needed_to_trust_and_to_repeat_it(page: str, model: Classifier, found: Profile) -> None:
    read = said(page)
    expected = [verdict(found).text, model.weights_hash, model.architecture, f"{model.parameters:,}", found.device]
    expected += [f"{found.noise_floor:.4g}", f"{found.passes}", "python -m core replay", *versions().values()]
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
    for part in (rest, result._repr_html_(), compare(hostile, HOSTILE, variants(HOSTILE))._repr_html_()):
        elements = Elements(part)
        assert not elements.tags & {"script", "img"} and "\u202e" not in part
        assert not {name for name in elements.attributes if name.startswith("on")}


def test_a_long_text_is_cut_around_its_edits_and_says_so(tmp_path: Path) -> None:
    small = loaded(save("bert", tmp_path / "small"))
    html = without_scripts(report(small, profile(small, "a fine film, " * 700 + "and a dull end .", passes=3)))
    assert "Truncated: the model reads 100 of" in html and "more characters" in html
    assert "too long for a command line" in html
    assert len(re.sub(r"base64,[^']*", "", html)) < 150_000


def test_only_a_complete_profile_of_the_same_model_is_reported(model: Classifier, found: Profile) -> None:
    with pytest.raises(WobbleError, match="not complete"):
        report(model, next(profiles(model, TEXT)))
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


def test_a_notebook_shows_verdict_and_rows(found: Profile) -> None:
    html = found._repr_html_()
    read = said(html)
    assert verdict(found).text in read
    for row in found.factors:
        for text in (row.factor, number(row.largest_shift), number(row.median_shift), share(row)):
            assert text in read, text
    assert len(html) < 20_000


def test_a_notebook_shows_a_profile_that_still_grows(model: Classifier) -> None:
    assert f"1 of {len(FACTORS)} factors" in next(profiles(model, TEXT))._repr_html_()


def test_a_notebook_shows_what_moves_a_comparison_most(model: Classifier) -> None:
    comparison = compare(model, TEXT, variants(TEXT))
    html = comparison._repr_html_()
    first, last = comparison.rows[0], comparison.rows[-1]
    assert comparison.summary in said(html) and f"{len(comparison.rows) - 15} more" in html
    assert number(first.shift) in html and first.variant.perturbation in html
    assert last.variant.perturbation not in html
    assert compare(model, TEXT, [])._repr_html_()


def test_the_figure_of_a_result_has_a_dot_a_case(model: Classifier, found: Profile) -> None:
    drawn = figure(found)
    assert sum(len(trace.x) for trace in drawn.data) == sum(row.tried for row in found.factors)
    comparison = compare(model, TEXT, variants(TEXT))
    assert sum(len(trace.x) for trace in figure(comparison).data) == len(comparison.rows)
    dots = {trace.name: np.asarray(trace.x) for trace in drawn.data}
    assert len(dots["flips the label"]) == found.flips
