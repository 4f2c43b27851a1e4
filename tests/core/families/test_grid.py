"""Where a member's answer depends on an edit, and how often a label changes between two members."""

import numpy as np

from core.families.agreement import grid
from core.families.interpolation import Interpolation, label_changes
from core.models.heads import REGRESSION, SOFTMAX

# Two seeds; the text and three variants of it; two labels.
FIRST = np.array([[[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.9, 0.1]], [[0.4, 0.6], [0.3, 0.7], [0.45, 0.55], [0.7, 0.3]]])


def test_the_variants_that_move_some_seed_furthest_come_first_and_flips_are_of_a_seed_s_own_answer() -> None:
    found = grid(FIRST, SOFTMAX, 2)
    assert found is not None
    # The second variant moves the first seed by 1.4, the third the second seed by 0.6.
    assert found.shown == (1, 2)
    np.testing.assert_allclose(found.margins, [[0.8, -0.6, 0.8], [-0.2, -0.1, 0.4]])
    # The second seed says another label than the first from the beginning, which is no flip of its own.
    assert found.flipped == 2


def test_a_head_without_labels_has_no_grid() -> None:
    assert grid(FIRST[..., :1], REGRESSION, 2) is None


def test_a_label_that_changes_and_changes_back_changed_twice() -> None:
    assert label_changes(np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]])) == 2
    assert label_changes(np.array([[0.9, 0.1], [0.6, 0.4]])) == 0


def test_a_rise_of_a_hundredth_of_a_nat_is_no_barrier() -> None:
    shares, accuracy = np.array([0.0, 0.5, 1.0]), np.ones(3)
    for rise, is_one in ((0.01, False), (0.011, True)):
        assert Interpolation(shares, np.array([0.0, rise, 0.0]), accuracy, 10).has_barrier == is_one
