"""One sentence put to one classifier: its reference, what was run for it, and what all factors share."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from core.base.errors import WobbleError
from core.base.words import plural
from core.factors.case import Case, Made, Reference, Row, by_shift, measured
from core.factors.conditions import REFERENCE, bounding
from core.factors.registry import Factor
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.predict import Condition, predict, readable
from core.text.perturb import FACTORS, Variant, merged, variants
from core.text.stages import absorbed_by
from core.text.tokens import Encoding
from core.text.truncation import cutter

Progress = Callable[[int, int], None]
"""Called with what is done and what was asked for; what it raises cancels."""


class Ask:
    """A text and a classifier while factors try it: everything is encoded, predicted and counted here.

    Args:
        beside: the factors of edits that are tried beside each other, so that a text which several make is one case.

    Raises:
        WobbleError: the text cannot be predicted.
    """

    def __init__(
        self,
        classifier: Classifier,
        text: str,
        temperature: float = 1.0,
        progress: Progress | None = None,
        beside: Collection[str] = FACTORS,
    ) -> None:
        self.began = time.perf_counter()
        self.classifier, self.text, self.progress = classifier, text, progress
        self.beside = tuple(name for name in FACTORS if name in beside)
        self.rows_asked = self.rows_run = 0
        self.floor_rows = 0
        """Rows that were run for the noise floor alone, which are not counted."""
        self.notes: list[str] = []
        """What the present factor did not try and why, or what holds whatever is tried, in sentences."""
        self.facts: dict[str, Any] = {}
        """What else the factor found, as plain JSON values."""
        self._made: dict[int, tuple[Variant, ...]] = {}
        self._encoded: dict[str, Encoding] = {}
        (encoding,) = readable(classifier, [text], self.encode([text]))
        alone = predict(classifier, [encoding], REFERENCE)
        self.count(alone.rows_asked, alone.rows_run)
        self.reference = Reference(text, encoding, alone.logits[0], classifier.head, classifier.labels, temperature)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """What the model reads of each text; each is encoded once."""
        new = list(dict.fromkeys(text for text in texts if text not in self._encoded))
        self._encoded |= dict(zip(new, self.classifier.encoder(new), strict=True))
        return [self._encoded[text] for text in texts]

    def predict(self, encodings: Sequence[Encoding], condition: Condition | None = None) -> Logits:
        """Logits `[n, n_labels]` of encodings, counted; an encoding with the reference's tokens gets its logits, bit for bit."""
        own = [condition is None and one.key == self.reference.encoding.key for one in encodings]
        others = [one for one, known in zip(encodings, own, strict=True) if not known]
        found = predict(self.classifier, others, condition)
        self.count(found.rows_asked + sum(own), found.rows_run)
        rows = iter(found.logits)
        return np.array([self.reference.logits if known else next(rows) for known in own])

    def count(self, asked: int, run: int) -> None:
        """Add rows that a factor ran in its own way."""
        self.rows_asked += asked
        self.rows_run += run

    def variants(self, seed: int = 0) -> tuple[Variant, ...]:
        """All edits of the text, placed where the model reads it, each text once; made once a seed."""
        if seed not in self._made:
            cut, kept = cutter(self.classifier.encoder), self.reference.encoding.kept
            self._made[seed] = merged(variants(self.text, only=self.beside, seed=seed, cut=cut, read=kept))
        return self._made[seed]

    def ahead(self, made: Sequence[Variant]) -> None:
        """Run edits together, before factors ask for them: the batches are fuller."""
        _, encodings = self._read(made)
        others = [encoding for encoding in encodings if encoding.key != self.reference.encoding.key]
        self.count(0, predict(self.classifier, others).rows_run)

    def edited(self, made: Sequence[Variant]) -> list[Case]:
        """Edits as cases: those that reach the model first, largest shift first; a note tells how many leave no token.

        Raises:
            WobbleError: one typed by hand leaves none.
        """
        kept, encodings = self._read(made)
        if empty := len(made) - len(kept):
            left = plural(empty, "edit leaves", "edits leave")
            self.notes.append(f"{left} no token, so the model has nothing to predict.")
        encoder, before = self.classifier.encoder, self.reference.encoding
        return by_shift(
            case
            if case.reaches
            else replace(case, absorbed_by=absorbed_by(encoder, self.text, case.text, (before, case.encoding)))
            for case in self.measured(kept, self.predict(encodings), encodings=encodings)
        )

    def _read(self, made: Sequence[Variant]) -> tuple[list[Variant], list[Encoding]]:
        """Edits that leave a token, and what the model reads of each; those typed by hand must."""
        kept = [
            one
            for one, read in zip(made, self.encode([one.text for one in made]), strict=True)
            if read.ids or one.factor == "custom"
        ]
        texts = [one.text for one in kept]
        return kept, readable(self.classifier, texts, self.encode(texts))

    def row(self, factor: Factor, options: Mapping[str, Any]) -> Row:
        """Try a factor: no case, and a note, where the classifier has nothing to try."""
        floor, missing = self.noise_floor, factor.missing(self.classifier)
        self.notes, self.facts = [] if missing is None else [missing], {}
        cases = tuple(factor.make(self, **options)) if missing is None else ()
        return Row(factor, cases, floor, tuple(dict.fromkeys(self.notes)), self.facts)

    @cached_property
    def noise_floor(self) -> float:
        """What rounding alone can do, see `Reference.noise_floor`: any other shift that is not above it means nothing."""
        asked, run = self.rows_asked, self.rows_run
        cheap = bounding(self.classifier, len(self.reference.encoding.ids))
        differences = [case.difference for condition in cheap for case in self.under(condition)]
        # Whatever shows the conditions asks for them, and says what they cost.
        self.floor_rows, self.rows_asked, self.rows_run = self.rows_run - run, asked, run
        return self.reference.noise_floor(max(differences, default=0.0))

    def under(self, condition: Condition) -> list[Case]:
        """The text under a condition as a case; none, and a note, where it cannot be run."""
        try:
            return self.measured([condition], self.predict([self.reference.encoding], condition))
        except WobbleError as error:
            self.notes.append(str(error))
            return []

    def measured(self, made: Sequence[Made], logits: Logits, **options: Any) -> list[Case]:
        """Logits as cases, in order: see `core.factors.case.measured`."""
        return measured(self.reference, made, logits, **options)
