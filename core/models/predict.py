"""The one way from encodings to logits, under a condition of the call, and what it remembers."""

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.base.cache import Kept
from core.base.errors import WobbleError, first_line
from core.base.words import plural
from core.models.classifier import Batching, Classifier
from core.models.heads import Logits
from core.text.tokens import Encoding, TokenKey

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

TOKEN_BUDGET = {"cpu": 1024, "mps": 8192, "cuda": 65536}
"""Tokens (padding included) of one batch: on a CPU small batches stay in its caches, a GPU wants to be filled."""


Dtype = Literal["float32", "bfloat16", "float16"]


COMPANY = tuple(f"Text {number}." for number in range(1, 32))
"""The other texts of `Condition.among`: short, so that they cost little, and all different."""


@dataclass(frozen=True)
class Condition:
    """Everything but the text that fixes a forward pass on one device."""

    batch: Literal["shared", "alone"] = "shared"
    """With the other texts of the call, or each text alone in its batch."""
    padded: int = 0
    """Alone, padded to at least this many tokens; 0: not padded."""
    among: int = 0
    """Alone but for this many of the first texts of `COMPANY`."""
    kernel: Literal["own", "eager"] = "own"
    """The attention kernel that the model was loaded with (sdpa wherever there is one), or plain matrix products."""
    dtype: Dtype = "float32"
    """What the weights and the arithmetic are rounded to."""

    @property
    def name(self) -> str:
        """In words: what differs from the reference."""
        parts = [
            f"padded to {self.padded:,} tokens" if self.padded else "",
            f"among {plural(self.among, 'other text')}" if self.among else "",
            "eager attention" if self.kernel == "eager" else "",
            self.dtype if self.dtype != "float32" else "",
        ]
        return ", ".join(filter(None, parts)) or "alone"

    said = name

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"condition": asdict(self)}


PLAIN = Condition()


@dataclass(frozen=True, eq=False)
class Prediction:
    """Logits of some texts under one condition, and what they cost."""

    logits: Logits
    rows_asked: int
    rows_run: int
    """Rows that went through the model in this call, the other texts of a condition included: identical encodings and
    remembered ones do not."""


class _Memory:
    """Logits by token ids and condition, or why there are none; at most `limit`, least recently used first out."""

    def __init__(self, limit: int = 8192) -> None:
        self._limit, self._idle = limit, threading.Condition()
        self._rows: OrderedDict[tuple[TokenKey, Condition], Logits | str] = OrderedDict()
        self._running: set[tuple[TokenKey, Condition]] = set()

    def get(self, keys: Iterable[TokenKey], condition: Condition) -> dict[TokenKey, Logits]:
        """What is known of some token sequences.

        Raises:
            WobbleError: why there are no logits of one.
        """
        found = {}
        with self._idle:
            for key in keys:
                row = self._rows.get((key, condition))
                if isinstance(row, str):
                    raise WobbleError(row)
                if row is not None:
                    self._rows.move_to_end((key, condition))
                    found[key] = row
        return found

    @contextmanager
    def turn(self, keys: Iterable[TokenKey], condition: Condition) -> Iterator[dict[TokenKey, Logits]]:
        """What is known of some token sequences once nobody is running any of them; the others are the caller's to run."""
        asked = {(key, condition) for key in keys}
        with self._idle:
            # All at once, so that two threads never wait for each other.
            self._idle.wait_for(lambda: not asked & self._running)
            known = self.get((key for key, _ in asked), condition)
            mine = {one for one in asked if one[0] not in known}
            self._running |= mine
        try:
            yield known
        finally:
            with self._idle:
                self._running -= mine
                self._idle.notify_all()

    def put(self, key: TokenKey, condition: Condition, row: Logits | str) -> None:
        """Remember one row `[n_labels]`, or a sentence."""
        with self._idle:
            self._rows[key, condition] = row
            while len(self._rows) > self._limit:
                self._rows.popitem(last=False)


_memories: Kept[_Memory] = Kept(limit=64, results=True)


def readable(classifier: Classifier, texts: Sequence[str], encodings: list[Encoding] | None = None) -> list[Encoding]:
    """What a model reads of texts, where they are not encoded yet.

    Raises:
        WobbleError: the tokenizer makes no token from one of them.
    """
    encodings = classifier.encoder(texts) if encodings is None else encodings
    for text, encoding in zip(texts, encodings, strict=True):
        if not encoding.ids:
            raise WobbleError(f"The tokenizer of {classifier.id} makes no token of {text[:40]!r}: nothing to predict.")
    return encodings


def predict(
    classifier: Classifier,
    encodings: Sequence[Encoding],
    condition: Condition | None = None,
    *,
    token_budget: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Logits of encodings: what is remembered or asked for twice does not run; the rest is run in batches of about equal lengths
    and bounded tokens, and remembered.

    Args:
        encodings: of this classifier's encoder; their order and the split into batches change the logits by rounding only.
        condition: how the texts share batches, and how the model computes.
        token_budget: tokens of one batch, padding included; by default what suits the device.
        progress: called with the distinct token sequences that are done and those to be run; what it raises cancels.

    Raises:
        WobbleError: an encoding has no tokens at all, or the logits are not finite; or the model has no such condition.
    """
    condition = condition or PLAIN
    check_condition(classifier, condition)
    if not all(encoding.ids for encoding in encodings):
        raise WobbleError(f"The tokenizer of {classifier.id} makes no token of this text: nothing to predict.")
    memory = _memories.get(classifier, "rows", _Memory)
    rows = memory.get({encoding.key for encoding in encodings}, condition)
    distinct = {encoding.key: encoding for encoding in encodings if encoding.key not in rows}
    company, done, ran = classifier.encoder(COMPANY[: condition.among]), 0, 0
    batching: Batching = "one by one" if condition.batch == "alone" else classifier.batching
    batches = [*_batches(distinct.values(), batching, token_budget or TOKEN_BUDGET[classifier.device.type])]
    # The longest first: an out-of-memory error comes at once. Then long and short ones evenly, which the golden ratio's
    # multiples give: the time of those that are done tells that of the others.
    for batch in (batches[i] for i in sorted(range(len(batches)), key=lambda i: 0.6180339887 * i % 1)):
        with memory.turn([encoding.key for encoding in batch], condition) as known:
            left = [encoding for encoding in batch if encoding.key not in known]
            try:
                found = forward(classifier, [*left, *company], condition) if left else ()
            except WobbleError as error:
                if len(left) == 1:
                    memory.put(left[0].key, condition, str(error))
                raise
            rows |= known
            for encoding, row in zip(left, found, strict=False):
                rows[encoding.key] = row
                memory.put(encoding.key, condition, row)
        done, ran = done + len(batch), ran + len(left)
        if progress is not None:
            progress(done, len(distinct))
    return Prediction(
        np.stack([rows[e.key] for e in encodings]) if encodings else np.empty((0, len(classifier.labels)), np.float32),
        rows_asked=(1 + condition.among) * len(encodings),
        rows_run=(1 + condition.among) * ran,
    )


def check_condition(classifier: Classifier, condition: Condition) -> None:
    """Refuse a condition under which this model cannot be run, or under which its answer would be another one.

    Raises:
        WobbleError: with one sentence that says why.
    """
    from core.models.sites import has_kernels

    refusals = (
        (
            condition.padded and classifier.batching != "padded",
            f"Padding is not run: it would change what {classifier.id} answers, not only how it rounds.",
        ),
        (
            condition.among and classifier.batching != "padded",
            f"Other texts are not run beside it: {classifier.id} cannot pad texts of other lengths.",
        ),
        (
            condition.kernel == "eager" and not has_kernels(classifier.model),
            f"Another attention kernel is not run: {classifier.architecture} has only one.",
        ),
        (
            condition.padded > classifier.limit or not 0 <= condition.among <= len(COMPANY),
            (
                f"{classifier.id} cannot be padded to {condition.padded:,} tokens among {condition.among} other texts: "
                f"at most {classifier.limit:,} and {len(COMPANY)}."
            ),
        ),
        (
            (condition.padded or condition.among) and condition.batch != "alone",
            "Padding and company are for texts alone in their batch.",
        ),
    )
    for refused, sentence in refusals:
        if refused:
            raise WobbleError(sentence)


def _batches(encodings: Iterable[Encoding], batching: Batching, budget: int) -> Iterator[list[Encoding]]:
    """Split encodings, longest first, into batches of at most `budget` tokens."""
    batch: list[Encoding] = []
    for encoding in sorted(encodings, key=lambda e: len(e.ids), reverse=True):
        longest = len(batch[0].ids) if batch else 0
        full = (len(batch) + 1) * longest > budget or batching == "one by one"
        if batch and (full or (batching == "equal lengths" and len(encoding.ids) != longest)):
            yield batch
            batch = []
        batch.append(encoding)
    if batch:
        yield batch


def model_inputs(classifier: Classifier, batch: Sequence[Encoding], padded: int = 0) -> dict[str, "torch.Tensor"]:
    """What the model is called with: tensors `[len(batch), longest]` on its device, padded on the right.

    Args:
        padded: pad to at least so many tokens.
    """
    import torch

    longest = max(padded, *(len(encoding.ids) for encoding in batch))

    def filled(rows: Iterable[Sequence[int]], filler: int) -> "torch.Tensor":
        return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=classifier.device)

    inputs = {
        "input_ids": filled(
            (encoding.ids for encoding in batch), classifier.model.config.get_text_config().pad_token_id or 0
        ),
        "attention_mask": filled(([1] * len(encoding.ids) for encoding in batch), 0),
    }
    if classifier.encoder.uses_type_ids:
        inputs["token_type_ids"] = filled((encoding.type_ids for encoding in batch), 0)
    return inputs


_casts: "Kept[PreTrainedModel]" = Kept(limit=4)
"""Copies in half precision: half a model each, gone with their classifier."""


def _in_dtype(classifier: Classifier, dtype: Dtype) -> "PreTrainedModel":
    """The shared model, or a private copy of it whose parameters are rounded to another dtype.

    Not `torch.func.functional_call` with rounded parameters: it puts them into the modules while the call lasts, where
    other threads would compute with them. The copy takes the rounded parameters at once, through deepcopy's memo, so
    that no second copy in fp32 is made on the way. Buffers stay as they are, as transformers leaves the frequencies of
    rotary embeddings when it loads in half precision.
    """
    import torch
    from torch import nn

    if dtype == "float32":
        return classifier.model
    return _casts.get(
        classifier,
        dtype,
        lambda: copy.deepcopy(
            classifier.model,
            {
                id(own): nn.Parameter(own.to(getattr(torch, dtype)), requires_grad=False)
                for own in classifier.model.parameters()
            },
        ),
    )


def forward(classifier: Classifier, batch: Sequence[Encoding], condition: Condition = PLAIN) -> Logits:
    """One forward pass over a batch: `[len(batch), n_labels]`."""
    import torch

    from core.models.sites import attention

    model = _in_dtype(classifier, condition.dtype)
    with torch.inference_mode(), attention(condition.kernel):
        try:
            output = model(**model_inputs(classifier, batch, condition.padded)).logits
        except ValueError as error:
            if len(batch) == 1:
                raise
            if condition.among:
                raise WobbleError(f"Other texts are not run beside it: {first_line(error)}") from error
            # BART refuses a batch whose texts hold different numbers of </s>, and a text may hold any.
            return np.concatenate([forward(classifier, [encoding], condition) for encoding in batch])
        except RuntimeError as error:
            if condition.dtype == "float32":
                raise
            raise WobbleError(
                f"{condition.dtype} is not run: {classifier.architecture} does not compute in it on "
                f"{classifier.device}: {first_line(error)}"
            ) from error
        logits: Logits = output.float().cpu().numpy()
    if not np.isfinite(logits).all():
        raise WobbleError(
            f"{classifier.id} answers with numbers that are not finite: its weights are damaged."
            if condition.dtype == "float32"
            else f"In {condition.dtype} {classifier.id} answers with numbers that are not finite."
        )
    return logits
