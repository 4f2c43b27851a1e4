"""Short scripts on plain transformers over labelled texts: calibration, the seeds on data, interpolation between two.

Each reads the Parquet file that the page offers beside it, so that its texts are those of the page.
"""

from core.base.statistics import RESAMPLES
from core.families.interpolation import MOST_TEXTS
from core.families.stacked import Family
from core.models.classifier import Classifier
from core.studies.calibration import BINS, SEARCHED
from core.training.recipe import PARTS
from core.views.documents import unique
from core.views.scripts.render import family_values, model_values, render

CALIBRATION_FILE = "wobble-calibration.parquet"
SEEDS_FILE = "wobble-seeds-data.parquet"


def calibration_script(classifier: Classifier) -> str:
    """A script that fits the temperature and prints accuracy, ECE, NLL and Brier score, each with its interval, before and
    after, one JSON object a line. It reads `CALIBRATION_FILE` (`core.views.tables.calibration_frame`).
    """
    values = {**model_values(classifier), "file": CALIBRATION_FILE}
    return render("calibration", **values, searched=SEARCHED, resamples=RESAMPLES, bins=BINS)


def on_data_script(family: Family) -> str:
    """A script that prints the accuracy of each member, the pairwise disagreement, and for each source of chance that varies
    alone the disagreement and the shift, one JSON object a line. It reads `SEEDS_FILE`
    (`core.views.tables_training.on_data_frame`).
    """
    seeds = {member.name: tuple(getattr(member.seeds, part) for part in PARTS) for member in family.members}
    return render("on_data", **_on_data_values(family), parts=list(PARTS), seeds=seeds)


def interpolation_script(
    family: Family, first: str, second: str, text: str, points: int = 11, temperature: float = 1.0
) -> str:
    """A script that prints loss, accuracy and the probabilities of a text on the straight line between the weights of two
    members, one JSON object a line. It reads `SEEDS_FILE` (`core.views.tables_training.on_data_frame`).
    """
    ends = {"first": first, "second": second, "points": points, "most": MOST_TEXTS}
    return render("interpolation", **_on_data_values(family), **ends, text=text, temperature=temperature)


def _on_data_values(family: Family) -> dict[str, object]:
    names = list(unique(family.first.labels))
    return {**family_values(family), "file": SEEDS_FILE, "names": names}
