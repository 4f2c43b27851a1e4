"""Which families there are: by name, by training, and never a model beside itself."""

from pathlib import Path

import pytest

from core.base.errors import WobbleError
from core.families.members import families, family_data, family_of, members
from core.families.stacked import Family
from core.models import catalog
from core.training.recipe import one_seed
from tests.architectures import save

SEEDS = (42, 43, 44, 45, 46, 47, 48, 49)


def test_the_embedded_family_has_eight_seeds_within_their_budget(family: Family) -> None:
    assert family.names == tuple(map(str, SEEDS))
    assert tuple(member.seeds for member in family.members) == tuple(map(one_seed, SEEDS))
    assert [member.id for member in family.members][:2] == ["minilm-uncased", "minilm-uncased-43"]
    assert family.model is not None and not family.alone
    folders = [catalog.EMBEDDED / member.id for member in family.members]
    weights = [file for folder in folders for file in folder.glob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 6 * 2**20


@pytest.mark.parametrize("id", ["bpe-cased", "nothing", ""])
def test_what_is_no_family_is_refused_in_one_sentence(id: str) -> None:
    with pytest.raises(WobbleError, match="no seed family"):
        members(id)


def test_a_family_is_found_by_its_name_and_by_its_members() -> None:
    assert families()[0] == catalog.DEFAULT
    assert family_of("minilm-uncased") == family_of("minilm-uncased-45") == "minilm-uncased"
    assert family_of("bpe-cased") is None and family_of("") is None


def test_two_models_of_one_seed_are_no_family_and_hide_no_other(models: Path) -> None:
    for name in ("mine", "mine-42"):
        save("bert", models / name)
    assert families() == ("minilm-uncased",)
    assert family_of("models/mine") is None
    assert family_of("minilm-uncased-43") == "minilm-uncased"


def test_family_data_are_texts_that_no_member_was_trained_on() -> None:
    data = family_data("minilm-uncased")
    assert len(data.texts) == 1530 and set(data.split) == {"test"}
    with pytest.raises(WobbleError, match="no seed family"):
        family_data("nothing")


def test_cards_tell_the_seed(family: Family) -> None:
    for member in family.members:
        card = Path(catalog.EMBEDDED / member.id / "README.md").read_text(encoding="utf-8")
        assert f"seed {member.name}" in card
