"""How much members agree, on worked examples and on the embedded family."""

from dataclasses import replace

import numpy as np
import pytest

from core.families.agreement import OnData, against_people, influences, on_data, pairwise_disagreement, votes
from core.families.members import Member, family_data
from core.families.stacked import Family
from core.models.heads import SIGMOID, SOFTMAX, Head
from core.training.recipe import Seeds, plan


def test_disagreement_and_votes_of_a_worked_example() -> None:
    p = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.8, 0.2], [0.4, 0.6]], [[0.7, 0.3], [0.3, 0.7]]])
    # First text: all agree. Second: one against two, so two of three pairs disagree.
    assert pairwise_disagreement(p, SOFTMAX) == pytest.approx((0 + 2 / 3) / 2)
    assert votes(p, SOFTMAX).tolist() == [[3, 0], [1, 2]]
    assert SOFTMAX.label(p[0, 0], ("a", "b")) == "a"


def drawn(p: np.ndarray, rating_std: np.ndarray | None = None, head: Head = SOFTMAX) -> OnData:
    labels = np.zeros(p.shape[1], np.int64)
    accuracy = (p.argmax(-1) == labels).mean(-1)
    texts = tuple(map(str, range(p.shape[1])))
    return OnData(texts, labels, rating_std, p, head, accuracy, of=2 * len(texts), seconds=3.0)


def test_which_texts_split_seeds_is_asked_of_the_head() -> None:
    # One seed says yes to both labels, the other to the first alone; both find the first likelier.
    p = np.array([[[0.9, 0.6]], [[0.9, 0.4]]])
    assert drawn(p).split.tolist() == [0.0] and drawn(p, head=SIGMOID).split.tolist() == [1.0]
    assert drawn(p, head=SIGMOID).disagreement.value == 1.0 and drawn(p).seconds_of_all == 6.0


def test_influences_of_a_worked_example(family: Family) -> None:
    """Each part's members differ from the first by a known amount."""
    planned = plan((42, 43, 44), "each")
    some = replace(family, members=tuple(Member(str(i), str(i), seeds) for i, seeds in enumerate(planned)))
    a = np.full((9, 4), 0.6)
    for member, amount in enumerate((0.0, 0.3, 0.3, 0.02, 0.02, 0.0, 0.0, 0.05, 0.0)):
        a[member] -= amount
    found = influences(some, np.stack([a, 1 - a], axis=-1))
    assert [influence.part for influence in found] == ["head", "subset", "order", "dropout"]
    assert [influence.pairs for influence in found] == [3] * 4
    # Two pairs of three differ by 0.3, and the third not at all.
    assert found[0].shift.value == pytest.approx(0.2)
    assert found[0].disagreement.value == pytest.approx(2 / 3)
    assert (found[-1].shift.value, found[-1].shift.low, found[-1].shift.high) == (0, 0, 0)


def test_members_that_differ_in_several_parts_tell_nothing_about_one(family: Family) -> None:
    assert influences(family, np.full((8, 3, 2), 0.5)) == ()
    held = tuple(Member(name, name, Seeds(head, head, head, 1)) for name, head in (("a", 1), ("b", 2)))
    assert influences(replace(family, members=held), np.full((2, 3, 2), 0.5)) == ()


def test_seeds_are_set_against_people_from_agreed_to_disputed() -> None:
    rating_std = np.arange(100)[::-1] / 100
    p = np.tile([0.9, 0.1], (3, 100, 1))
    p[0, :20] = [0.1, 0.9]  # one of three seeds disagrees where people disagree most
    found = against_people(drawn(p, rating_std))
    assert [group.texts for group in found] == [20] * 5
    assert [group.disagreement.value for group in found] == pytest.approx([0, 0, 0, 0, 2 / 3])
    assert (found[0].low, found[-1].high) == (0.0, 0.99)
    with pytest.raises(ValueError, match="no ratings"):
        against_people(drawn(p))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_accuracies_are_level_and_single_sentences_are_not(family: Family) -> None:
    data = family_data(family.id)
    assert len(data.texts) == 1530
    # Drawn, because they are sorted; `python -m benchmarks.seeds` asks all of them.
    found = on_data(family, data.rows(np.random.default_rng(0).permutation(1530)[:150]))
    assert np.abs(found.accuracy - found.accuracy.mean()).max() <= 0.02
    assert found.accuracy.mean() >= 0.855
    assert found.disagreement.low > 0.02
    assert ((found.split >= 0) & (found.split <= 1)).all()
    # On average over texts, the share of split pairs is the pairwise disagreement.
    apart = pairwise_disagreement(found.probabilities, found.head)
    assert found.disagreement.value == pytest.approx(apart)
    assert found.disagreement.low < apart < found.disagreement.high
    most = found.split[found.most_split]
    assert sorted(found.most_split) == list(range(len(found.texts))) and (most[:-1] >= most[1:]).all()
