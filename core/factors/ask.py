"""One sentence asked of one classifier: its reference, what was run for it, and what all factors share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from core.base.errors import WobbleError
from core.factors.case import Case, Made, Reference, Row, measured
from core.factors.conditions import REFERENCE, fp32_conditions
from core.factors.registry import Factor
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.predict import Condition, predict
from core.text.perturb import FACTORS, Variant, merged, variants
from core.text.stages import absorbed_by
from core.text.tokens import Encoding
from core.text.truncation import cutter

Progress = Callable[[int, int], None]
"""Called with what is done and what was asked for; what it raises cancels."""


class Ask:
    """A text and a classifier while factors try it: everything is encoded, predicted and counted here.

    Raises:
        WobbleError: the text cannot be predicted.
    """

    def __init__(
        self, classifier: Classifier, text: str, temperature: float = 1.0, progress: Progress | None = None
    ) -> None:
        self.classifier, self.progress = classifier, progress
        self.rows_asked = self.rows_run = 0
        self.floor_rows = 0
        """Rows that were run for the noise floor alone, which are not counted."""
        self._notes: list[str] = []
        self._facts: dict[str, Any] = {}
        self._made: dict[int, tuple[Variant, ...]] = {}
        self._encoded: dict[str, Encoding] = {}
        encoding = self._readable([text])[0]
        logits = self.predict([encoding], REFERENCE)[0]
        self.reference = Reference(text, encoding, logits, classifier.head, classifier.labels, temperature)

    @property
    def text(self) -> str:
        """The original text."""
        return self.reference.text

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """What the model reads of texts; each is encoded once."""
        new = list(dict.fromkeys(text for text in texts if text not in self._encoded))
        self._encoded |= dict(zip(new, self.classifier.encoder(new), strict=True))
        return [self._encoded[text] for text in texts]

    def _readable(self, texts: Sequence[str]) -> list[Encoding]:
        encodings = self.encode(texts)
        for text, encoding in zip(texts, encodings, strict=True):
            if not encoding.ids:
                id = self.classifier.id
                raise WobbleError(f"The tokenizer of {id} makes no token of {text[:40]!r}: nothing to predict.")
        return encodings

    def predict(
        self, encodings: Sequence[Encoding], condition: Condition | None = None, progress: Progress | None = None
    ) -> Logits:
        """Logits `[n, n_labels]` of encodings, counted; what has the reference's tokens gets its logits, bit for bit."""
        alone = getattr(self, "reference", None)
        others = [e for e in encodings if condition is not None or alone is None or e.key != alone.encoding.key]
        found = predict(self.classifier, others, condition, progress=progress)
        self.count(found.rows_asked + len(encodings) - len(others), found.rows_run)
        if len(others) == len(encodings) or alone is None:
            return found.logits
        rows = iter(found.logits)
        return np.stack([alone.logits if e.key == alone.encoding.key else next(rows) for e in encodings])

    def count(self, asked: int, run: int) -> None:
        """Add rows that a factor ran by a way of its own."""
        self.rows_asked += asked
        self.rows_run += run

    def variants(self, seed: int = 0) -> tuple[Variant, ...]:
        """All edits of the text, placed where the model reads it, each text once; made once a seed."""
        if seed not in self._made:
            cut, kept = cutter(self.classifier.encoder), self.reference.encoding.kept
            self._made[seed] = merged(variants(self.text, only=FACTORS, seed=seed, cut=cut, read=kept))
        return self._made[seed]

    def ahead(self, made: Sequence[Variant]) -> None:
        """Run edits before factors ask for them, together: the batches are fuller."""
        encodings = self._readable([variant.text for variant in made])
        others = [encoding for encoding in encodings if encoding.key != self.reference.encoding.key]
        self.count(0, predict(self.classifier, others).rows_run)

    def edited(self, made: Sequence[Variant]) -> list[Case]:
        """Edits as cases: those that reach the model first, largest shift first."""
        encodings = self._readable([variant.text for variant in made])
        cases = measured(self.reference, made, self.predict(encodings), encodings) if made else []
        cases = [self._with_stage(case) if case.absorbed or not case.tried else case for case in cases]
        return sorted(cases, key=lambda case: (case.absorbed or not case.tried, -case.shift))

    def _with_stage(self, case: Case) -> Case:
        pair = self.reference.encoding, case.encoding
        return replace(case, absorbed_by=absorbed_by(self.classifier.encoder, self.text, case.text, pair))

    def note(self, sentence: str) -> None:
        """Say what was not tried and why, or what holds whatever is tried."""
        self._notes.append(sentence)

    def fact(self, name: str, value: Any) -> None:
        """Tell something else that the factor found, as a plain JSON value."""
        self._facts[name] = value

    def row(self, factor: Factor, options: Mapping[str, Any], noise_floor: float) -> Row:
        """Try a factor: no case, and a note, where the classifier has nothing to try."""
        self._notes, self._facts = [], {}
        missing = factor.missing(self.classifier)
        if missing is not None:
            self.note(missing)
        cases = () if missing is not None else tuple(factor.make(self, **options))
        return Row(factor, cases, noise_floor, tuple(dict.fromkeys(self._notes)), self._facts)

    @cached_property
    def noise_floor(self) -> float:
        """The largest shift among the fp32 conditions: a shift of anything else that is not above it means nothing."""
        conditions, _ = fp32_conditions(self.classifier, len(self.reference.encoding.ids))
        asked, run = self.rows_asked, self.rows_run
        shifts = [case.shift for case in self.under(conditions)]
        # Whoever shows the conditions asks for them, and tells what they cost.
        self.floor_rows, self.rows_asked, self.rows_run = self.rows_run - run, asked, run
        return max(shifts, default=0.0)

    def under(self, conditions: Sequence[Condition]) -> list[Case]:
        """The text under some conditions as cases; one that cannot be run is noted."""
        found: list[tuple[Condition, Logits]] = []
        for condition in conditions:
            try:
                found.append((condition, self.predict([self.reference.encoding], condition)[0]))
            except WobbleError as error:
                self.note(str(error))
        return self.measured([condition for condition, _ in found], np.array([row for _, row in found]))

    def measured(self, made: Sequence[Made], logits: Logits, **options: Any) -> list[Case]:
        """Logits as cases, in order: see `core.factors.case.measured`."""
        return measured(self.reference, made, logits, **options)
