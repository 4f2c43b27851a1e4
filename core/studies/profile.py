"""The profile: the study of all factors on one sentence, on one scale, all against the noise floor."""

from core.base.errors import WobbleError
from core.factors.conditions import DTYPES
from core.factors.dropout import PASSES
from core.factors.registry import factors
from core.factors.seeds import family_for
from core.models.classifier import Classifier
from core.models.predict import Condition, predict
from core.studies.study import Options, Study, study


def options_of(seed: int = 0, passes: int = PASSES) -> Options:
    """What a profile sets: the seed of every factor that draws, and the number of dropout passes."""
    sets = {"seed": seed, "passes": passes}
    return {one.name: {o.name: sets[o.name] for o in one.options if o.name in sets} for one in factors()}


def profile(classifier: Classifier, text: str, *, seed: int = 0, passes: int = PASSES) -> Study:
    """The whole profile of a text.

    Args:
        seed: of everything that draws.
        passes: with dropout on.

    Raises:
        WobbleError: the text cannot be predicted, or there is no such number of passes.
    """
    return study(classifier, text, options=options_of(seed, passes))


def prepare(classifier: Classifier) -> None:
    """Load what a profile needs beside the classifier: its seed family, and its copies in half precision."""
    family_for(classifier)
    probe = classifier.encoder(["."])
    for dtype in DTYPES:
        try:
            predict(classifier, probe, Condition(batch="alone", dtype=dtype))
        except WobbleError:
            continue  # the profile says why
