"""The verdict says what the profile says: every branch on made studies, and every number on the example gallery."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from core.data.snippets import gallery
from core.factors.case import Case, Made, Reference, Row
from core.factors.dropout import one_pass
from core.factors.registry import factors
from core.factors.seeds import one_seed
from core.models.catalog import load
from core.models.heads import REGRESSION, SIGMOID, SOFTMAX
from core.models.predict import Condition
from core.studies.study import Study, profile
from core.studies.verdict import verdict
from core.text.perturb import FORMATTING, perturbations
from core.text.perturb.edits import Edit
from core.text.perturb.registry import Variant
from core.text.tokens import Encoding

FLOOR = 1e-6
ENCODING = Encoding((1, 2), ("a", "b"), (0, 0), None, (False, False), 2)
RULE = {
    "whitespace": "doubled_space",
    "casing": "upper",
    "punctuation": "drop_final_period",
    "unicode": "nfd",
    "typo": "typo_swap",
    "preprocessing": "lower_case",
}


@dataclass(frozen=True, eq=False)
class Stands(Reference):
    """A reference that stands exactly at a margin, which no logits of floating point do."""

    at: float | None = 0.5
    said: str = "positive"

    @property
    def margin(self) -> float | None:
        """As made."""
        return self.at

    @property
    def label(self) -> str:
        """As made."""
        return self.said


def case(
    made: Made, margin: float, label: str = "negative", start: float = 0.5, absorbed: bool = False, **facts: Any
) -> Case:
    """A case of a sentence that is positive with margin `start`: two labels, so the shift is half the margin's move."""
    p = np.array([(1 - margin) / 2, (1 + margin) / 2])
    flip = margin < 0
    found = Case(
        made=made,
        text=getattr(made, "text", "."),
        encoding=ENCODING,
        logits=np.log(np.maximum(p, 1e-9)).astype(np.float32),
        probabilities=p,
        label=label if flip else "positive",
        shift=abs(margin - start) / 2,
        flip=flip,
        margin=margin,
        difference=0.0,
        fate="absorbed" if absorbed else "flips" if flip else "reaches the model",
    )
    return replace(found, **facts)


def row(name: str, cases: list[Case]) -> Row:
    return Row(factors([name])[0], tuple(cases), FLOOR)


def edits(factor: str, margins: list[float], absorbed: int = 0, start: float = 0.5, beyond: int = 0) -> Row:
    def variant(number: int) -> Variant:
        return Variant(f"{factor} {number}", RULE[factor], factor, (Edit((0, 1), (0, 1)),), None, True)

    cases = [case(variant(n), margin, start=start) for n, margin in enumerate(margins)]
    cases += [case(variant(-n - 1), start, start=start, absorbed=True) for n in range(absorbed)]
    cases += [case(variant(900 + n), start, start=start, fate="beyond the limit") for n in range(beyond)]
    return row(factor, cases)


def passes(margins: list[float], label: str = "negative") -> Row:
    return row("dropout", [case(one_pass(i), m, label) for i, m in enumerate(margins, 1)])


def seeds(margins: list[float], label: str = "negative") -> Row:
    return row("seed", [case(one_seed(str(i)), m, label) for i, m in enumerate(margins, 42)])


def numerics(*cases: Case) -> Row:
    return row("numerics", list(cases))


AMONG = Condition(batch="alone", among=7)


def made(start: float = 0.5, reference: dict[str, Any] | None = None, untrained: bool = False, **rows: Row) -> Study:
    """A study of made rows: by default two calm edits a factor, no dropout, no seeds, calm numerics."""
    calm = {name: edits(name, [start, start], start=start) for name in RULE if name != "preprocessing"}
    calm["numerics"] = numerics(case(AMONG, start, start=start))
    stands = Stands(".", ENCODING, np.array([0.0, 9.0], np.float32), SOFTMAX, ("negative", "positive"), at=start)
    found = calm | rows
    return Study(
        model="made",
        device="cpu",
        weights_hash="0",
        untrained=untrained,
        reference=replace(stands, **(reference or {})),
        noise_floor=FLOOR,
        rows=tuple(found.get(one.name, row(one.name, [])) for one in factors()),
        wanted=tuple(one.name for one in factors()),
    )


HALF = Condition(batch="alone", dtype="bfloat16")
TABLE: dict[str, tuple[str, dict[str, Row], str]] = {
    "nothing moves": (
        "solid", {},
        "Solid. No formatting edit and no typo flips it; none moves it beyond rounding.",
    ),
    "something comes near": (
        "solid",
        {
            "casing": edits("casing", [0.44, 0.5]),
            "typo": edits("typo", [0.49]),
            "dropout": passes([0.6, 0.46]),
            "seed": seeds([0.5, 0.6]),
        },
        ("Solid. No formatting edit, no typo, no dropout pass and no other seed flips it; the closest, “every letter in capitals”, "
         "moves it by 0.03."),
    ),
    "everything moves away": (
        "solid", {"casing": edits("casing", [0.6])},
        "Solid. No formatting edit and no typo flips it; none brings it nearer to another label.",
    ),
    "a pass comes very near": (
        "nearly solid", {"dropout": passes([0.04, 0.5])},
        ("Nearly solid. No formatting edit, no typo and no dropout pass flips it; the closest, dropout pass 1, moves it by 0.23 "
         "and leaves a margin of 0.04."),
    ),
    "a factor is erased": (
        "solid", {"casing": edits("casing", [], absorbed=7)},
        ("Solid. No formatting edit and no typo flips it; none moves it beyond rounding. None of the 7 casing edits can matter, "
         "because the tokenizer absorbs them."),
    ),
    "two factors are erased": (
        "solid",
        {
            "casing": edits("casing", [], absorbed=7),
            "whitespace": edits("whitespace", [], absorbed=2),
        },
        ("Solid. No formatting edit and no typo flips it; none moves it beyond rounding. None of the 9 whitespace and casing edits "
         "can matter, because the tokenizer absorbs them."),
    ),
    "seeds and passes agree, one edit flips": (
        "on the edge",
        {
            "seed": seeds([-0.1, -0.2, 0.4, 0.4, 0.4, 0.4, 0.4]),
            "dropout": passes([-0.1] * 31 + [0.4] * 69),
            "punctuation": edits("punctuation", [-0.1, 0.4]),
        },
        ("On the edge. 2 of 7 other seeds and 31 of 100 dropout passes say negative; 1 of 8 formatting edits, “the final period "
         "dropped”, flips it. No typo flips it."),
    ),
    "seeds and passes say different things": (
        "on the edge",
        {"seed": seeds([-0.1, 0.4], "mixed"), "dropout": passes([-0.1, -0.1, 0.4])},
        "On the edge. 1 of 2 other seeds says mixed; 2 of 3 dropout passes say negative. No formatting edit and no typo flips it.",
    ),
    "all other seeds": (
        "on the edge", {"seed": seeds([-0.1, -0.3])},
        "On the edge. Both other seeds say negative. No formatting edit and no typo flips it.",
    ),
    "the other seed": (
        "on the edge", {"seed": seeds([-0.1])},
        "On the edge. The only other seed says negative. No formatting edit and no typo flips it.",
    ),
    "all passes": (
        "on the edge", {"dropout": passes([-0.1] * 4)},
        "On the edge. All 4 dropout passes say negative. No formatting edit and no typo flips it.",
    ),
    "one pass in a hundred": (
        "nearly solid", {"dropout": passes([-0.1] + [0.4] * 99)},
        "Nearly solid. 1 of 100 dropout passes says negative. No formatting edit and no typo flips it.",
    ),
    "only typos": (
        "nearly solid", {"typo": edits("typo", [-0.1, -0.2])},
        "Nearly solid. Both typos (furthest “two neighbouring letters of one word swapped”) flip it. No formatting edit flips it.",
    ),
    "edits and typos": (
        "brittle",
        {"casing": edits("casing", [-0.1, -0.2]), "typo": edits("typo", [-0.1, 0.2])},
        "Brittle. 2 of 8 formatting edits (furthest “every letter in capitals”) and 1 of 2 typos flip it.",
    ),
    "half precision flips": (
        "on the edge", {"numerics": numerics(case(HALF, -0.01))},
        "On the edge. Rounding to bfloat16 flips it. No formatting edit and no typo flips it.",
    ),
    "fp32 flips": (
        "tie",
        {"numerics": numerics(case(AMONG, -1e-7))},
        "A tie. Rounding alone decides the label: among 7 other texts it is negative.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_made_profile_has_this_verdict(name: str) -> None:
    mood, rows, expected = TABLE[name]
    found = verdict(made(**rows))
    assert (found.mood, found.text) == (mood, expected)
    assert all(clause.said and clause.evidence for clause in found.clauses)


# --- thresholds, at the exact value -----------------------------------------------------------------------------------

CALM = {name: edits(name, []) for name in ("whitespace", "punctuation", "unicode", "typo")}


@pytest.mark.parametrize(("flipping", "calm", "mood"), [(1, 9, "brittle"), (1, 10, "nearly solid"), (2, 8, "brittle")])
def test_edits_flip_often_from_a_tenth_on(flipping: int, calm: int, mood: str) -> None:
    assert verdict(made(**CALM, casing=edits("casing", [-0.1] * flipping + [0.4] * calm))).mood == mood


def test_what_the_tokenizer_erases_and_what_lies_beyond_does_not_water_a_share_down() -> None:
    flipping = edits("casing", [-0.1] + [0.4] * 9, absorbed=50, beyond=50)
    assert verdict(made(**CALM, casing=flipping)).mood == "brittle"


@pytest.mark.parametrize(
    ("flipping", "calm", "mood"), [(1, 9, "on the edge"), (1, 10, "nearly solid"), (10, 91, "nearly solid")]
)
def test_passes_flip_often_from_a_tenth_on(flipping: int, calm: int, mood: str) -> None:
    assert verdict(made(dropout=passes([-0.1] * flipping + [0.4] * calm))).mood == mood


@pytest.mark.parametrize(
    ("flipping", "calm", "mood"),
    [(2, 6, "on the edge"), (1, 3, "on the edge"), (1, 4, "nearly solid"), (1, 7, "nearly solid")],
)
def test_seeds_flip_often_from_a_quarter_on(flipping: int, calm: int, mood: str) -> None:
    assert verdict(made(seed=seeds([-0.1] * flipping + [0.4] * calm))).mood == mood


@pytest.mark.parametrize(("margin", "mood"), [(0.1, "solid"), (np.nextafter(0.1, 0), "nearly solid"), (0.29, "solid")])
def test_a_margin_below_a_tenth_is_close(margin: float, mood: str) -> None:
    found = verdict(made(dropout=passes([margin])))
    assert found.mood == mood
    assert ("leaves a margin" in found.text) == (mood == "nearly solid")


@pytest.mark.parametrize(
    ("start", "mood"),
    [(0.1, "brittle"), (np.nextafter(0.1, 0), "on the edge"), (0.29, "brittle"), (0.05, "on the edge")],
)
def test_form_alone_makes_a_sure_sentence_brittle_and_puts_a_near_one_on_the_edge(start: float, mood: str) -> None:
    flipping = edits("casing", [-0.1, -0.2], start=start)
    assert verdict(made(start, casing=flipping)).mood == mood
    assert verdict(made(start, casing=flipping, dropout=passes([-0.1, 0.6]))).mood == "on the edge"


def test_typos_and_cleaning_steps_decide_no_mood() -> None:
    for name in ("typo", "preprocessing"):
        assert verdict(made(**{name: edits(name, [-0.1] * 9)})).mood == "nearly solid"


@pytest.mark.parametrize(("start", "tie"), [(2 * FLOOR, True), (np.nextafter(2 * FLOOR, 1), False)])
def test_a_margin_within_twice_the_noise_floor_is_a_tie(start: float, tie: bool) -> None:
    found = verdict(made(start))
    assert (found.mood == "tie") == tie
    assert ("closer together than rounding can tell apart" in found.text) == tie


def test_a_tie_says_how_near_its_labels_are() -> None:
    assert verdict(made(FLOOR)).clauses[0].evidence == "margin 1.0e-06, at most twice the noise floor 1.0e-06"
    condition = case(AMONG, -FLOOR, "negative", start=FLOOR)
    assert verdict(made(FLOOR, numerics=numerics(condition))).clauses[0].evidence == (
        "1 fp32 condition flips; margin 1.0e-06, noise floor 1.0e-06"
    )


def test_a_multi_label_tie_speaks_of_its_threshold() -> None:
    assert "A label is closer to its threshold" in verdict(made(FLOOR, reference={"head": SIGMOID})).text


def test_a_flip_of_another_factor_that_knows_no_floor_is_no_tie() -> None:
    found = passes([-0.4, 0.5])
    toy = replace(found, factor=replace(found.factor, floor_applies=False))
    assert verdict(made(dropout=toy)) == verdict(made(dropout=found))
    assert "tie" in verdict(made(dropout=replace(toy, factor=replace(toy.factor, rounding=True)))).mood


def test_a_shift_of_exactly_the_noise_floor_does_not_count() -> None:
    def of(shift: float) -> Row:
        return row("dropout", [case(one_pass(1), -0.1, shift=shift)])

    at, above = of(FLOOR), of(float(np.nextafter(FLOOR, 1)))
    assert (len(at.moving), at.flips, at.worst) == (0, 0, None)
    assert (len(above.moving), above.flips) == (1, 1)
    assert "No formatting edit, no typo and no dropout pass flips it" in verdict(made(dropout=at)).text
    assert "The only dropout pass says negative" in verdict(made(dropout=above)).text


# --- what else is said ------------------------------------------------------------------------------------------------


def test_half_precision_that_can_flip_is_said() -> None:
    half = case(HALF, 0.5, difference=0.01)
    close = {"logits": np.array([0.0, 0.015], np.float32)}
    found = verdict(made(reference=close, numerics=numerics(half)))
    assert "Rounding to bfloat16 can flip it." in found.text
    assert "can flip" not in verdict(made(numerics=numerics(half))).text
    assert "can flip" not in verdict(made(reference=close, numerics=numerics(replace(half, flip=True)))).text


def test_an_untrained_head_has_no_other_verdict() -> None:
    found = verdict(made(untrained=True))
    assert found.mood == "untrained"
    assert "never trained" in found.text and "Solid" not in found.text


def test_a_value_moves_and_does_not_flip() -> None:
    value = {"head": REGRESSION, "said": "3.210", "at": None}
    found = verdict(made(reference=value, dropout=passes([0.3, 0.2]), casing=edits("casing", [0.1])))
    assert found.text == (
        "The value is 3.210. Of 7 formatting edits “every letter in capitals” moves it furthest, by 0.20; dropout moves it by up "
        "to 0.15 in 2 passes."
    )
    assert "flip" not in found.text
    still = verdict(made(reference=value))
    assert still.text == "The value is 3.210. Nothing that was tried moves it beyond rounding."


def test_what_was_not_tried_is_not_spoken_of() -> None:
    assert not re.search("seed|dropout|preprocessing|segmentation", verdict(made()).text)


def test_what_lies_beyond_the_limit_is_not_counted_and_said() -> None:
    cut = {"encoding": replace(ENCODING, ids=tuple(range(512)), full_length=6002)}
    rows = {"casing": edits("casing", [0.5], absorbed=1, beyond=20), "typo": edits("typo", [], beyond=3)}
    found = verdict(made(reference=cut, **rows))
    assert found.text == (
        "Solid. No formatting edit flips it; none moves it beyond rounding. Only 512 of 6,002 tokens were judged: the model "
        "reads no more."
    )
    assert found.clauses[-1].evidence == "23 edits beyond the limit not tried"
    assert "0 of 8 formatting edits flip, 1 absorbed by the tokenizer" in found.clauses[0].evidence
    assert verdict(made(reference=cut)).clauses[-1].evidence == "the text is truncated"
    # A factor all of whose edits lie beyond is not one whose edits are erased.
    assert "because the tokenizer absorbs" not in found.text


@pytest.mark.parametrize(
    ("absorbed", "said"),
    [
        (1, "The one casing edit cannot matter, because the tokenizer absorbs it."),
        (2, "None of the 2 casing edits can matter, because the tokenizer absorbs them."),
    ],
)
def test_edits_that_are_all_erased_cannot_matter(absorbed: int, said: str) -> None:
    assert verdict(made(casing=edits("casing", [], absorbed=absorbed))).text.endswith(said)


def test_every_description_stands_in_a_sentence() -> None:
    assert all(not rule.description.endswith(".") for rule in perturbations())


@pytest.mark.slow
@pytest.mark.parametrize(("nth", "id"), list(enumerate(["minilm-uncased", "bpe-cased", "unigram-cased"])))
def test_the_verdicts_of_the_gallery_are_true(nth: int, id: str) -> None:
    classifier = load(id)
    # Every example under some model, of which one has a seed family.
    for example in gallery()[nth::3]:
        found = profile(classifier, example.text, passes=10)
        said = verdict(found)
        text = said.text
        groups = {
            "formatting edits": [c for f in FORMATTING for c in found[f].cases],
            "typos": found["typo"].cases,
            "preprocessing steps": found["preprocessing"].cases,
            "segmentations": found["segmentation"].cases,
            "dropout passes": found["dropout"].cases,
            "other seeds": found["seed"].cases,
        }
        for name, cases in groups.items():
            flips = sum(bool(c.flip) for c in cases if c.shift > found.noise_floor)
            if flips and said.mood != "tie":
                all_of_them = name if len(cases) > 1 else f"the only {name.removesuffix('s')}"
                which = f"{flips} of {len(cases)} {name}" if flips < len(cases) else all_of_them
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
