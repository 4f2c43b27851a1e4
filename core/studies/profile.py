"""The profile: the study of all factors on one sentence, on one scale, all against the noise floor."""

from collections.abc import Iterator

from core.base.errors import WobbleError
from core.factors.ask import Progress
from core.factors.conditions import DTYPES
from core.factors.dropout import PASSES
from core.factors.registry import factors
from core.factors.seeds import family_for
from core.models.classifier import Classifier
from core.models.predict import Condition, predict
from core.studies.study import Options, Study, studies


def options_of(seed: int, passes: int) -> Options:
    """What a profile sets: the seed of every factor that draws, and the number of dropout passes."""
    chosen: dict[str, dict[str, int]] = {}
    for one in factors():
        names = {option.name for option in one.options}
        chosen[one.name] = ({"seed": seed} if "seed" in names else {}) | (
            {"passes": passes} if "passes" in names else {}
        )
    return chosen


def profiles(
    classifier: Classifier, text: str, *, seed: int = 0, passes: int = PASSES, progress: Progress | None = None
) -> Iterator[Study]:
    """The profile of a text as it grows: yielded again whenever a factor's row is ready, the complete one last.

    Args:
        seed: of everything that draws.
        passes: with dropout on.
        progress: called with what is done of a long factor and what was asked for; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, or there is no such number of passes.
    """
    yield from studies(classifier, text, options=options_of(seed, passes), progress=progress)


def profile(classifier: Classifier, text: str, *, seed: int = 0, passes: int = PASSES) -> Study:
    """The whole profile of a text: the last of `profiles`, which says the arguments and what is raised."""
    *_, last = profiles(classifier, text, seed=seed, passes=passes)
    return last


def prepare(classifier: Classifier) -> None:
    """Load what a profile needs beside the classifier: its seed family, and its copies in half precision."""
    family_for(classifier)
    probe = classifier.encoder(["."])
    for dtype in DTYPES:
        try:
            predict(classifier, probe, Condition(batch="alone", dtype=dtype))
        except WobbleError:
            continue  # the profile says why
