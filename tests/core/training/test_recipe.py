"""Recipes: which members some seeds make, what is refused before anything runs, and what a training will cost."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled
from core.training.recipe import (
    MOST_MEMBERS,
    NAME,
    PARTS,
    Recipe,
    Seeds,
    Vary,
    check,
    default_name,
    drawn,
    estimate,
    members_of,
    one_seed,
    parse_seeds,
    plan,
    recipe_of,
)

CPU = torch.device("cpu")


def made(**changes: Any) -> Recipe:
    return replace(Recipe("mine", "minilm", DataSource("movie"), plan((42, 43))), **changes)


def data(n: int = 40, labels: int = 2, held_out: int = 10) -> Labelled:
    split = np.array(["validation" if i < held_out else "train" for i in range(n)])
    return Labelled(
        texts=tuple(f"Film number {i} is what it is." for i in range(n)),
        labels=np.arange(n, dtype=np.int64) % labels,
        names=tuple(f"label {i}" for i in range(max(2, labels))),
        split=split,
    )


def refused(call: Any) -> str:
    with pytest.raises(WobbleError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".") and len(said) < 250
    return said


# --- seeds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("42", (42,)),
        ("42,43", (42, 43)),
        (" 7 , 3 ", (7, 3)),
        ("42-45", (42, 43, 44, 45)),
        ("1, 5 - 6", (1, 5, 6)),
        ("0", (0,)),
    ],
)
def test_seeds_are_a_list_or_a_range(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not a seed"),
        ("42,", "'' is not a seed"),
        ("forty", "'forty' is not a seed"),
        ("1.5", "'1.5' is not a seed"),
        ("-1", "'-1' is not a seed"),
        ("1-2-3", "is not a seed"),
        ("\u0664\u0662", "is not a seed"),
        ("x" * 5000, "is not a seed"),
        ("45-42", "not a range of at most 16"),
        ("1-1000000000", "not a range of at most 16"),
        ("42, 43, 42", "The seed 42 is given twice"),
        ("42-44, 43", "The seed 43 is given twice"),
        (",".join(map(str, range(17))), "17 seeds are more than the 16"),
        ("9999999999", "at most 2,147,483,647"),
    ],
)
def test_nonsense_and_repeats_are_no_seeds(text: str, said: str) -> None:
    assert said in refused(lambda: parse_seeds(text))


def test_all_together_means_that_head_order_and_dropout_follow_the_seed_and_the_texts_stay() -> None:
    assert plan((42, 43)) == (Seeds(42, 42, 42, 42), Seeds(43, 43, 43, 42))


@pytest.mark.parametrize("part", PARTS)
def test_one_part_varies_and_the_others_are_held(part: Any) -> None:
    members = plan((42, 43, 44), part)
    assert [getattr(seeds, part) for seeds in members] == [42, 43, 44]
    for other in set(PARTS) - {part}:
        assert {getattr(seeds, other) for seeds in members} == {42}


def test_each_in_turn_is_one_member_a_part_and_seed_beside_the_first() -> None:
    members = plan((42, 43, 44), "each")
    assert len(members) == 1 + 4 * 2
    assert members[0] == one_seed(42)
    for seeds in members[1:]:
        assert sum(getattr(seeds, part) != 42 for part in PARTS) == 1


def test_a_plan_that_makes_nothing_or_too_much_is_refused() -> None:
    assert "cannot be varied" in refused(lambda: plan((42, 43), "weights"))  # type: ignore[arg-type]
    assert "No seed" in refused(lambda: plan(()))
    assert "at least two" in refused(lambda: plan((42,), "head"))
    assert f"more than the {MOST_MEMBERS}" in refused(lambda: plan(tuple(range(16)), "each"))
    assert plan((42,)) == (one_seed(42),)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8, unique=True), st.sampled_from(get_args(Vary)))
def test_members_of_a_plan_have_names_and_folders_of_their_own(seeds: list[int], vary: Any) -> None:
    recipe = made(members=plan(seeds, vary))
    names, folders = recipe.names, [folder.name for _, _, folder in members_of(recipe, Path("mine"))]
    assert names[0] == str(seeds[0])
    assert len(set(names)) == len(set(folders)) == len(names)
    assert all(NAME.fullmatch(folder) for folder in folders)


@given(st.lists(st.builds(Seeds, *[st.integers(0, 3)] * 4), min_size=1, max_size=12, unique=True))
def test_any_different_seeds_have_different_names(members: list[Seeds]) -> None:
    names = made(members=tuple(members)).names
    assert len(set(names)) == len(names) and all(names)


def test_names_say_what_differs() -> None:
    assert made(members=plan((42, 43))).names == ("42", "43")
    each = made(members=plan((42, 43), "each"))
    assert each.names == ("42", "head 43", "order 43", "dropout 43", "subset 43")
    assert [folder.name for _, _, folder in members_of(each, Path("mine"))][:2] == ["seed-42", "head-43"]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "not a name for a family"),
        ({"name": "../x"}, "not a name for a family"),
        ({"name": "a/b"}, "not a name for a family"),
        ({"name": ".hidden"}, "not a name for a family"),
        ({"name": "x\n"}, "not a name for a family"),
        ({"name": "Mine"}, "not a name for a family"),
        ({"name": "x" * 49}, "not a name for a family"),
        ({"examples": 9}, "too few"),
        ({"examples": -1}, "too few"),
        ({"epochs": 0}, "epochs cannot be run"),
        ({"epochs": 1000}, "epochs cannot be run"),
        ({"batch": 0}, "texts cannot be run"),
        ({"batch": 100_000}, "texts cannot be run"),
        ({"learning_rate": 0.0}, "learning rate of 0"),
        ({"learning_rate": -1e-3}, "learning rate"),
        ({"learning_rate": float("nan")}, "learning rate of nan"),
        ({"learning_rate": float("inf")}, "learning rate of inf"),
        ({"method": "qlora"}, "choose lora or full"),
        ({"precision": "int8"}, "choose bf16 or fp32"),
        ({"members": ()}, "1 to 32 models"),
        ({"members": tuple(map(one_seed, range(33)))}, "1 to 32 models"),
        ({"members": (one_seed(1), one_seed(1))}, "different seeds"),
        ({"members": (one_seed(-1), one_seed(1))}, "at least 0"),
        ({"members": (one_seed(2**40),)}, "at most 2,147,483,647"),
    ],
)
def test_a_recipe_that_cannot_be_run_is_refused_in_one_sentence(changes: dict[str, Any], said: str) -> None:
    assert said in refused(lambda: check(made(**changes), data()))


def test_data_that_teach_nothing_are_refused_in_one_sentence() -> None:
    check(made(), data(150 * 3, labels=150))
    assert "hold 8 texts to train on" in refused(lambda: check(made(), data(10, held_out=2)))
    assert "hold 0 texts" in refused(lambda: check(made(), data(10, held_out=10)))
    assert "one label only" in refused(lambda: check(made(), data(40, labels=1)))


# --- what is drawn, and the record -----------------------------------------------------------------------------------


def test_the_subset_s_seed_alone_decides_which_texts_are_drawn() -> None:
    first, same, other = (drawn(data().part("train"), 12, seed).texts for seed in (42, 42, 43))
    assert first == same
    assert len(set(first)) == 12 and set(first) != set(other)
    assert set(first) <= set(data().part("train").texts)
    assert len(drawn(data().part("train"), 10_000, 1).texts) == 30


@pytest.mark.parametrize("vary", get_args(Vary))
def test_a_recipe_comes_back_from_its_document(vary: Any) -> None:
    recipe = made(members=plan((42, 43), vary), data=DataSource("mine.csv", "Text \ud800", None), learning_rate=1)
    assert recipe_of(json.loads(json.dumps(recipe.document()))) == recipe


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: {},
        lambda d: [],
        lambda d: "recipe",
        lambda d: {**d, "data": None},
        lambda d: {**d, "members": []},
        lambda d: {**d, "members": [{"head": 1}]},
        lambda d: {**d, "members": [{**asdict(one_seed(1)), "head": "1"}]},
        lambda d: {**d, "epochs": "many"},
        lambda d: {**d, "name": None},
        lambda d: {**d, "more": 1},
    ],
)
def test_what_is_no_recipe_is_refused(damage: Any) -> None:
    assert "not the record of a training" in refused(lambda: recipe_of(damage(made().document())))


def test_members_lie_below_the_folder_of_their_run() -> None:
    found = list(members_of(made(), Path("runs/mine")))
    assert [(name, folder.as_posix()) for _, name, folder in found] == [
        ("42", "runs/mine/seed-42"),
        ("43", "runs/mine/seed-43"),
    ]


@pytest.mark.parametrize(
    "name", ["movie", "glue/sst2", "My Data (1).CSV", "../../etc/x.csv", "///", "", "\u00e4\u00f6", "x" * 500]
)
def test_whatever_the_data_are_called_makes_a_good_name(name: str) -> None:
    assert NAME.fullmatch(default_name(name))


def test_more_of_anything_costs_more() -> None:
    some = data(500, held_out=100)
    base = estimate(made(examples=100), some, 22_700_000, 384, CPU)
    assert base.seconds > 0
    for changes in ({"examples": 300}, {"epochs": 3}, {"members": plan((1, 2, 3, 4))}):
        assert estimate(made(**({"examples": 100} | changes)), some, 22_700_000, 384, CPU).seconds > base.seconds
    full = estimate(made(examples=100, method="full"), some, 22_700_000, 384, CPU)
    assert full.memory > base.memory and full.disk > 5 * base.disk
    assert full.disk == 2 * 4 * 22_700_000
