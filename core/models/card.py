"""What a model's card says about its training: the README.md beside the weights, as the hub defines it."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import ModelCard
from yaml import YAMLError  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Card:
    """The data that a model was trained on and its accuracy there, as far as its card says so in its metadata."""

    data: str | None = None
    """Names of data sets, with commas between them."""
    tested: str | None = None
    """The data that the accuracy is of."""
    accuracy: float | None = None
    """From 0 to 1."""

    @property
    def said(self) -> str:
        """In one sentence, which says what is unknown, too."""
        if self.data is None and self.accuracy is None:
            return "What this model was trained on, and how accurate it is, is unknown: it has no card that says so."
        trained = f"Trained on {self.data}" if self.data else "Trained on unknown data"
        if self.accuracy is None:
            return f"{trained}; its accuracy is unknown. Other texts are guesswork for it."
        return f"{trained}; accuracy {self.accuracy:.1%} on {self.tested}, says its card. Other texts are guesswork for it."


def card(directory: Path) -> Card:
    """The card in a model's folder; an empty one where there is none, or none that can be read."""
    try:
        found = ModelCard.load(directory / "README.md", ignore_metadata_errors=True).data
    except (OSError, ValueError, YAMLError):
        return Card()
    datasets = [found.datasets] if isinstance(found.datasets, str) else found.datasets or []
    results = [one for one in found.eval_results or [] if one.metric_type == "accuracy"]
    first = results[0] if results else None
    return Card(
        data=", ".join(map(str, datasets)) or None,
        tested=first.dataset_name if first else None,
        accuracy=_share(first.metric_value) if first else None,
    )


def _share(value: object) -> float | None:
    """An accuracy as a share; cards give percentages, too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return value / 100 if value > 1 else float(value)
