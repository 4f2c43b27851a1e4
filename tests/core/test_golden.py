"""The engine's numbers stay what they were when they were recorded, and the comparison of records sees what differs."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import MODELS
from benchmarks.golden import fixture
from benchmarks.golden.compare import Declared, compare
from benchmarks.golden.recorder import canonical, plan
from benchmarks.golden.texts import FIXTURE_TEXTS, HOSTILE, SHORTEST_TEXTS, TINY_TEXTS, all_texts, jobs

TOLERANCE = 1e-5
"""Wider than between two engines on one machine: the fixture may have been written on another processor."""


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    return fixture.read()


@pytest.mark.slow
def test_the_present_engine_gives_the_numbers_that_were_recorded(committed: dict[str, Any]) -> None:
    """After a change that is meant: `python -m benchmarks.golden --write`."""
    report = compare(committed, fixture.present(), TOLERANCE, declared=())
    assert report.equal, "\n".join(report.lines())
    assert report.exact["int"] + report.floats.total() > 50_000


def test_the_fixture_holds_every_kind_of_record_and_no_failure(committed: dict[str, Any]) -> None:
    kinds = {"numerics", "comparison", "profile", "passes", "temperature", "seeds"}
    for name in FIXTURE_TEXTS:
        assert kinds <= set(committed["minilm-uncased"][name])
    heads = {model["gallery 00"]["profile"]["model"]["head"] for model in committed.values()}
    assert heads == {"softmax", "sigmoid", "regression"}
    assert any("flips" in texts.get("shortest", {}) for texts in committed["minilm-uncased"].values())
    assert any("calibration" in model for model in committed.values())
    assert compare(committed, committed).defects == 0
    assert fixture.FILE.stat().st_size < 300_000


Change = Callable[[dict[str, Any]], None]


def _swap_first_two(variants: dict[str, Any]) -> None:
    variants["order"][:2] = variants["order"][1::-1]


def _variants(text: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = text["comparison"]["variants"]
    return found


def _first(text: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _variants(text)["items"][_variants(text)["order"][0]]
    return found


CHANGES: dict[str, Change] = {
    "a probability": lambda text: text["profile"]["reference"]["probabilities"].update(positive=0.123),
    "a token id": lambda text: text["comparison"]["reference"]["ids"].__setitem__(1, 5),
    "one token more": lambda text: text["comparison"]["reference"]["ids"].append(5),
    "a label": lambda text: _first(text).update(label="other"),
    "a fate": lambda text: _first(text).update(absorbed=True),
    "a flip that became a number": lambda text: _first(text).update(flip=1),
    "a count": lambda text: text["profile"]["factors"]["items"]["casing"].update(tried=3),
    "an order": lambda text: _swap_first_two(_variants(text)),
    "a variant that is missing": lambda text: _variants(text)["items"].pop(_variants(text)["order"].pop()),
    "a factor that is new": lambda text: text["profile"]["factors"]["items"].update(other={}),
    "a verdict": lambda text: text["profile"].update(verdict="Solid."),
    "a number in a verdict": lambda text: text["profile"].update(
        verdict=text["profile"]["verdict"].replace("12 of", "13 of")
    ),
    "a shift that is not a number": lambda text: _first(text).update(shift=float("nan")),
    "a value that is gone": lambda text: text["profile"]["reference"].update(margin=None),
    "a refusal": lambda text: text.update(passes={"error": "No."}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_single_difference_is_reported_with_its_place(change: Change, committed: dict[str, Any]) -> None:
    one = {"minilm-uncased": {"gallery 00": committed["minilm-uncased"]["gallery 00"]}}
    other = copy.deepcopy(one)
    change(other["minilm-uncased"]["gallery 00"])
    for report in (compare(one, other), compare(other, one)):
        assert not report.equal
        assert all(mismatch.path.startswith("minilm-uncased/gallery 00/") for mismatch in report.mismatches)
        assert any(str(report.mismatches[0]) in line for line in report.lines())


def test_equal_records_have_no_difference_and_every_number_is_counted() -> None:
    old = {"ids": [1, 2, 3], "probabilities": {"a": 0.25, "b": 0.75}, "flip": False, "label": "a"}
    report = compare(old, copy.deepcopy(old))
    assert report.equal
    assert report.exact == {"int": 3, "bool": 1, "str": 1}
    assert report.floats == {"probabilities": 2}
    assert report.largest == {"probabilities": 0.0}
    assert report.lines()[0] == "5 numbers compared: 2 floats, 3 ids and counts."


@pytest.mark.parametrize(
    ("kind", "difference", "equal"),
    [("shift", 0.9e-6, True), ("shift", 1.1e-6, False), ("logits", 9e-6, True), ("logits", 1.1e-5, False)],
)
def test_floats_may_differ_up_to_the_tolerance_of_their_kind(kind: str, difference: float, equal: bool) -> None:
    report = compare({kind: [0.5]}, {kind: [0.5 + difference]}, tolerance=1e-6)
    assert report.equal is equal
    assert report.largest[kind] == pytest.approx(difference)


def test_a_number_in_a_sentence_has_the_tolerance_of_a_float_and_a_count_has_none() -> None:
    said = "2 of 8 seeds flip; noise floor {}"
    assert compare([said.format("1.2e-07")], [said.format("1.3e-07")]).largest == {"in sentences": pytest.approx(1e-8)}
    assert not compare([said.format("1.2e-07")], [said.format("1.3e-02")]).equal
    assert not compare(["2 of 8 seeds flip"], ["3 of 8 seeds flip"]).equal


@pytest.mark.parametrize(("shift", "ties", "equal"), [(0.3 + 4e-7, 1, True), (0.3 + 4e-3, 0, False), (0.3, 0, False)])
def test_an_order_may_differ_only_where_rounding_decides_it(shift: float, ties: int, equal: bool) -> None:
    items = {"upper": {"shift": shift}, "lower": {"shift": 0.3}}
    report = compare({"order": ["upper", "lower"], "items": items}, {"order": ["lower", "upper"], "items": items})
    assert (report.ties, report.equal) == (ties, equal)


def test_a_declared_difference_is_counted_and_is_no_mismatch() -> None:
    old = {"profile": {"factors": {"order": ["a"], "items": {"a": {"tried": 1}}}}}
    new = copy.deepcopy(old)
    new["profile"]["factors"] = {"order": ["b", "a"], "items": {"b": {"tried": 2}, "a": {"tried": 1}}}
    assert [mismatch.path for mismatch in compare(old, new, declared=()).mismatches] == ["profile/factors/b"]
    report = compare(old, new, declared=(Declared("*/factors/b", "b is new"),))
    assert report.equal
    assert any("1 times" in line and "b is new" in line for line in report.lines())


def test_an_engine_that_fails_is_never_equal() -> None:
    failed = {"bert": {"empty": {"profile": {"defect": "KeyError: 1"}}}}
    assert not compare(failed, failed).equal


def test_a_record_names_what_it_holds_and_forgets_where_it_was_made() -> None:
    document = {
        "versions": {"torch": "2"},
        "seconds": 1.5,
        "model": {"id": "x", "device": "cpu"},
        "cases": [{"name": "pass 1"}, {"name": "again"}, {"name": "again"}],
        "text": "x" * 1000,
    }
    found = canonical(document)
    assert set(found) == {"model", "cases", "text"} and found["model"] == {"id": "x"}
    assert found["cases"]["order"] == ["pass 1", "again", "again (2)"]
    assert found["text"].startswith("1000 characters") and canonical({"text": "y" * 1000}) != {"text": found["text"]}


def test_sixty_texts_are_planned_for_every_embedded_model() -> None:
    texts = all_texts()
    assert len(texts) == 60 and len(set(texts.values())) == 60 and set(HOSTILE) <= set(texts)
    assert {*SHORTEST_TEXTS, *TINY_TEXTS, *FIXTURE_TEXTS} <= set(texts)
    wanted = jobs()
    assert [job.model for job in wanted[:3]] == list(MODELS)
    assert all(set(job.texts) == set(texts) for job in wanted[:3])
    few = jobs(7)
    assert len(few[0].texts) == 7
    assert json.loads(plan(few, texts))["jobs"][0]["texts"] == list(few[0].texts)
    with pytest.raises(ValueError, match="nobody"):
        jobs(models=["nobody"])


def test_a_difference_that_is_meant_is_counted_and_is_not_the_largest() -> None:
    meant = Declared("long/*", "its edits lie beyond the limit now")
    report = compare({"long": {"shift": 0.1}}, {"long": {"shift": 0.9}}, declared=[meant])
    assert report.equal and report.declared[meant] == 1 and report.largest == {"shift": 0.0}


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        ("comparison/variants/upper/fate", True),
        ("comparison/variants/order", True),
        ("comparison/summary", True),
        ("comparison/reference/ids", False),
        ("comparison/reference/probabilities/positive", False),
        ("comparison/noise_floor", False),
        ("profile/factors/casing/tried", True),
        ("profile/factors/order", False),
        ("profile/factors/numerics/largest_shift", False),
        ("profile/factors/dropout/cases/pass 1/shift", False),
        ("profile/factors/seed/flips", False),
        ("profile/verdict", True),
        ("profile/clauses", True),
        ("profile/clauses/0/said", True),
        ("profile/noise_floor", False),
        ("profile/reference/margin", False),
        ("numerics/noise_floor", False),
    ],
)
def test_of_the_text_beyond_the_limit_only_edits_may_differ(place: str, meant: bool) -> None:
    def record(value: Any) -> Any:
        for name in reversed(f"minilm-uncased/5,000 words/{place}".split("/")):
            value = {name: value}
        return value

    assert compare(record("one"), record("other")).equal is meant
