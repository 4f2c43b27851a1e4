"""The verdict says what the profile says: every branch on made profiles, and every number on the example gallery."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.data.snippets import gallery
from core.models.catalog import load
from core.models.classifier import Condition
from core.studies.compare import Row
from core.studies.profile import FACTORS, Case, FactorRow, Profile, profile
from core.studies.verdict import verdict
from core.text.perturb import FORMATTING, perturbations
from core.text.perturb.edits import Edit
from core.text.perturb.registry import Variant

FLOOR = 1e-6
RULE = {
    "whitespace": "doubled_space",
    "casing": "upper",
    "punctuation": "drop_final_period",
    "unicode": "nfd",
    "typo": "typo_swap",
}


@pytest.fixture(scope="module")
def plain() -> Profile:
    return profile(load(), "A wonderful, moving film.", passes=1)


def case(name: str, margin: float, label: str = "negative", start: float = 0.5, **made: Any) -> Case:
    """A case of a sentence that is positive with margin `start`: two labels, so the shift is half the margin's move."""
    p = np.array([(1 - margin) / 2, (1 + margin) / 2])
    return Case(name, p, label if margin < 0 else "positive", abs(margin - start) / 2, margin < 0, margin, **made)


def edits(plain: Profile, factor: str, margins: list[float], absorbed: int = 0, start: float = 0.5) -> FactorRow:
    rule = RULE[factor]
    reference = plain.reference
    cases = []
    for number, margin in enumerate([*margins, *[start] * absorbed]):
        variant = Variant(f"{factor} {number}", rule, factor, (Edit((0, 1), (0, 1)),), None, True)
        gone = number >= len(margins)
        made = case(rule, margin, start=start)
        row = Row(variant, reference.encoding, reference.logits, made.probabilities, made.label, gone,
                  "x" if gone else None, made.flip, made.shift, made.margin)  # fmt: skip
        cases.append(replace(made, row=row))
    return FactorRow(factor, tuple(cases), FLOOR)


def made_profile(plain: Profile, start: float = 0.5, **rows: Any) -> Profile:
    """A profile of made rows: by default two calm edits a factor, no dropout, no seeds, calm numerics."""
    factors = {factor: edits(plain, factor, [start, start], start=start) for factor in RULE}
    factors |= {name: FactorRow(name, (), FLOOR) for name in ("dropout", "temperature", "seed")}
    fp32 = case("among 7 other texts", start, start=start, condition=Condition(batch="alone", among=7))
    factors["numerics"] = FactorRow("numerics", (fp32,), FLOOR)
    factors |= rows
    calm = replace(plain.numerics.reference, logits=np.array([0.0, 9.0], np.float32))
    return replace(
        plain,
        head="softmax",
        noise_floor=FLOOR,
        reference=replace(plain.reference, label="positive", margin=start),
        factors=tuple(factors[factor] for factor in FACTORS),
        numerics=replace(plain.numerics, reference=calm),
    )


def passes(margins: list[float], label: str = "negative") -> FactorRow:
    return FactorRow("dropout", tuple(case(f"pass {i}", m, label, pass_=i) for i, m in enumerate(margins, 1)), FLOOR)


def seeds(margins: list[float], label: str = "negative") -> FactorRow:
    return FactorRow("seed", tuple(case(f"seed {i}", m, label, seed=str(i)) for i, m in enumerate(margins, 42)), FLOOR)


def numerics_row(*cases: Case) -> FactorRow:
    return FactorRow("numerics", cases, FLOOR)


HALF = Condition(batch="alone", dtype="bfloat16")
TABLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing moves": (
        "solid", {},
        "Solid. No formatting edit and no typo flips it; none moves it beyond rounding.",
    ),
    "something comes near": (
        "solid",
        {
            "casing": lambda p: edits(p, "casing", [0.44, 0.5]),
            "dropout": lambda _: passes([0.6, 0.55]),
            "seed": lambda _: seeds([0.5, 0.6]),
        },
        ("Solid. No formatting edit, no typo, no dropout pass and no seed flips it; the closest, “every letter large”, "
         "moves it by 0.03."),
    ),
    "everything moves away": (
        "solid", {"casing": lambda p: edits(p, "casing", [0.6])},
        "Solid. No formatting edit and no typo flips it; none brings it nearer to another label.",
    ),
    "a pass comes very near": (
        "nearly solid", {"dropout": lambda _: passes([0.04, 0.5])},
        ("Nearly solid. No formatting edit, no typo and no dropout pass flips it; the closest, dropout pass 1, moves it by 0.23 "
         "and leaves a margin of 0.04."),
    ),
    "a factor is erased": (
        "solid", {"casing": lambda p: edits(p, "casing", [], absorbed=7)},
        ("Solid. No formatting edit and no typo flips it; none moves it beyond rounding. None of the 7 casing edits can matter, "
         "because the tokenizer erases them."),
    ),
    "two factors are erased": (
        "solid",
        {
            "casing": lambda p: edits(p, "casing", [], absorbed=7),
            "whitespace": lambda p: edits(p, "whitespace", [], absorbed=2),
        },
        ("Solid. No formatting edit and no typo flips it; none moves it beyond rounding. None of the 9 whitespace and casing edits "
         "can matter, because the tokenizer erases them."),
    ),
    "seeds and passes agree, one edit flips": (
        "on the edge",
        {
            "seed": lambda _: seeds([0.5, -0.1, -0.2, 0.4, 0.4, 0.4, 0.4, 0.4]),
            "dropout": lambda _: passes([-0.1] * 31 + [0.4] * 69),
            "punctuation": lambda p: edits(p, "punctuation", [-0.1, 0.4]),
        },
        ("On the edge. 2 of 8 seeds and 31 of 100 dropout passes say negative; 1 of 8 formatting edits, “the final period "
         "dropped”, flips it. No typo flips it."),
    ),
    "seeds and passes say different things": (
        "on the edge",
        {"seed": lambda _: seeds([0.5, -0.1, 0.4], "mixed"), "dropout": lambda _: passes([-0.1, -0.1, 0.4])},
        "On the edge. 1 of 3 seeds says mixed; 2 of 3 dropout passes say negative. No formatting edit and no typo flips it.",
    ),
    "all other seeds": (
        "on the edge", {"seed": lambda _: seeds([0.5, -0.1, -0.3])},
        "On the edge. Both other seeds say negative. No formatting edit and no typo flips it.",
    ),
    "the other seed": (
        "on the edge", {"seed": lambda _: seeds([0.5, -0.1])},
        "On the edge. The other seed says negative. No formatting edit and no typo flips it.",
    ),
    "all passes": (
        "on the edge", {"dropout": lambda _: passes([-0.1] * 4)},
        "On the edge. All 4 dropout passes say negative. No formatting edit and no typo flips it.",
    ),
    "one pass in a hundred": (
        "nearly solid", {"dropout": lambda _: passes([-0.1] + [0.4] * 99)},
        "Nearly solid. 1 of 100 dropout passes says negative. No formatting edit and no typo flips it.",
    ),
    "only typos": (
        "nearly solid", {"typo": lambda p: edits(p, "typo", [-0.1, -0.2])},
        "Nearly solid. Both typos (furthest “two neighbouring letters of one word swapped”) flip it. No formatting edit flips it.",
    ),
    "edits and typos": (
        "brittle",
        {"casing": lambda p: edits(p, "casing", [-0.1, -0.2]), "typo": lambda p: edits(p, "typo", [-0.1, 0.2])},
        "Brittle. 2 of 8 formatting edits (furthest “every letter large”) and 1 of 2 typos flip it.",
    ),
    "half precision flips": (
        "on the edge", {"numerics": lambda _: numerics_row(case("bfloat16", -0.01, condition=HALF))},
        "On the edge. Rounding to bfloat16 flips it. No formatting edit and no typo flips it.",
    ),
    "fp32 flips": (
        "tie",
        {
            "numerics": lambda _: numerics_row(
                case("among 7 other texts", -1e-7, condition=Condition(batch="alone", among=7))
            )
        },
        "A tie. Rounding alone decides the label: among 7 other texts it is negative.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_made_profile_has_this_verdict(name: str, plain: Profile) -> None:
    mood, rows, expected = TABLE[name]
    found = verdict(made_profile(plain, **{factor: make(plain) for factor, make in rows.items()}))
    assert (found.mood, found.text) == (mood, expected)
    assert all(clause.said and clause.evidence for clause in found.clauses)


def test_a_margin_within_the_noise_floor_is_a_tie(plain: Profile) -> None:
    found = verdict(made_profile(plain, start=1.5 * FLOOR))
    assert found.mood == "tie"
    assert "nearer to each other than rounding is exact" in found.text


def test_half_precision_that_can_flip_is_said(plain: Profile) -> None:
    made = made_profile(plain)
    close = replace(made.numerics.reference, logits=np.array([0.0, 1e-4], np.float32))
    found = verdict(replace(made, numerics=replace(made.numerics, reference=close)))
    assert "ounding to bfloat16" in found.text and "can flip it" in found.text


def test_an_untrained_head_has_no_other_verdict(plain: Profile) -> None:
    found = verdict(replace(made_profile(plain), untrained=True))
    assert found.mood == "untrained"
    assert "never trained" in found.text and "Solid" not in found.text


def test_a_value_moves_and_does_not_flip(plain: Profile) -> None:
    made = made_profile(plain, dropout=passes([0.3, 0.2]), casing=edits(plain, "casing", [0.1]))
    found = verdict(replace(made, head="regression", reference=replace(made.reference, label="3.210", margin=None)))
    assert found.text == (
        "The value is 3.210. Of 7 formatting edits “every letter large” moves it furthest, by 0.20; dropout moves it by up to "
        "0.15 in 2 passes."
    )
    assert "flip" not in found.text


def test_form_alone_makes_a_sure_sentence_brittle_and_puts_a_near_one_on_the_edge(plain: Profile) -> None:
    made = made_profile(plain, casing=edits(plain, "casing", [-0.1, -0.2]), dropout=passes([0.5, 0.6]))
    assert verdict(made).mood == "brittle"
    assert verdict(replace(made, reference=replace(made.reference, margin=0.05))).mood == "on the edge"
    assert (
        verdict(replace(made, factors=made_profile(plain, dropout=passes([-0.1, 0.6])).factors)).mood == "on the edge"
    )


def test_what_was_not_tried_is_not_spoken_of(plain: Profile) -> None:
    assert not re.search("seed|dropout", verdict(made_profile(plain)).text)


def test_every_description_stands_in_a_sentence() -> None:
    assert all(not rule.description.endswith(".") for rule in perturbations())


@pytest.mark.slow
@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased", "unigram-cased"])
def test_the_verdicts_of_the_gallery_are_true(id: str) -> None:
    classifier = load(id)
    for example in gallery():
        found = profile(classifier, example.text, passes=10)
        said = verdict(found)
        text = said.text
        groups = {
            "formatting edits": [c for f in FORMATTING for c in found[f].cases],
            "typos": found["typo"].cases,
            "dropout passes": found["dropout"].cases,
            "seeds": found["seed"].cases,
        }
        for name, cases in groups.items():
            flips = sum(bool(c.flip) for c in cases if c.shift > found.noise_floor)
            if flips and not (name == "seeds" and flips == len(cases) - 1) and said.mood != "tie":
                which = f"{flips} of {len(cases)} {name}" if flips < len(cases) else name
                assert which in text, (example.text, text)
            none = f"no {name.removesuffix('s').removesuffix('e') if name == 'dropout passes' else name[:-1]}"
            if flips or not cases:
                assert none not in text.lower()
            elif said.mood != "tie":
                assert none in text.lower(), (example.text, text)
        anything = any(bool(c.flip) for cases in groups.values() for c in cases if c.shift > found.noise_floor)
        assert (said.mood == "solid") <= (not anything)
        for edits_said, factor_names in re.findall(r"None of the (\d+) ([\w ,]+) edits can matter", text):
            rows = [found[factor] for factor in re.split(", | and ", factor_names)]
            assert sum(row.tried for row in rows) == int(edits_said) == sum(row.absorbed for row in rows)
        assert len(re.findall(r"[.](?= |$)", text)) <= 3
