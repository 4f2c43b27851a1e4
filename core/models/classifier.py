"""A loaded text classifier, and the one way from texts to logits.

A `Classifier` is loaded once and shared by all threads of the process: nothing on it changes afterwards. Whatever can
vary from call to call is a `Condition` of the call.
"""

import copy
import hashlib
import json
import logging
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from core.base.cache import Kept
from core.base.errors import WobbleError, first_line
from core.base.settings import settings
from core.factors.temperature import Head
from core.models.sites import ROW_DIMENSION, Recorder, Site, attention, calling, has_kernels, install
from core.text.tokens import Encoding, TextEncoder

# Wobble reports the loading itself, in words (LoadingReport); transformers' own table and bar would only fill the log.
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
logging.getLogger("peft").setLevel(logging.ERROR)
# peft still asks transformers by the old name.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

Logits = NDArray[np.float32]
"""`[n_texts, n_labels]`"""

TOKEN_BUDGET = {"cpu": 1024, "mps": 8192, "cuda": 65536}
"""Tokens (padding included) of one batch: on a CPU small batches stay in its caches, a GPU wants to be filled."""

LONGEST = 8192
"""Tokens at the most where neither the tokenizer nor the model names a limit (XLNet, T5)."""

PROBES = ("Fine.", "A text of quite another length, so that the first one has to be padded.")
"""Two texts of different lengths, for the checks at loading."""

ALMOST_ALL = 0.9
"""Embedding rows are often padded to a round number, so a tokenizer of the same model has nearly as many pieces."""

NO_PADDING = -1
"""Stands for the pad token where a model has none: heads that look for the last real token refuse batches without one.
No id is -1, so nothing counts as padding, and only texts of equal length share a batch."""

Dtype = Literal["float32", "bfloat16", "float16"]

COMPANY = tuple(f"Text {number}." for number in range(1, 32))
"""The other texts of `Condition.among`: short, so that they cost little, and none like another."""

SAFE_PADDING = 1e-4
"""Largest logit difference between a text alone and the same text padded that can still be rounding."""


TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)


@dataclass(frozen=True)
class LoadingReport:
    """What `from_pretrained` found when it put the checkpoint into the model."""

    missing: tuple[str, ...] = ()
    """Parameters of the model that the checkpoint does not have."""
    unexpected: tuple[str, ...] = ()
    """Tensors of the checkpoint that the model does not use."""
    mismatched: tuple[str, ...] = ()
    """Tensors whose shape is another one: left out."""
    untrained: tuple[str, ...] = ()
    """Parameters that were drawn at random at loading and that change the prediction: the model is not usable as it is."""


@dataclass(frozen=True)
class Source:
    """Where a classifier's files are. `directory` is what transformers loads; `adapter` is a LoRA adapter on it (peft)."""

    id: str
    kind: Literal["embedded", "local", "hub"]
    directory: Path
    adapter: Path | None = None

    @property
    def top(self) -> Path:
        """The directory that carries the name: the adapter where there is one."""
        return self.adapter or self.directory

    @property
    def config(self) -> Path:
        """The config.json: the adapter's own, which knows its labels, else its base model's."""
        own = self.top / "config.json"
        return own if own.is_file() else self.directory / "config.json"

    @property
    def tokenizer(self) -> Path | None:
        """The directory that holds the tokenizer: the adapter's own, else its base model's; None where neither does."""
        places = dict.fromkeys((self.top, self.directory))
        return next((place for place in places if any((place / name).is_file() for name in TOKENIZER_FILES)), None)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A text classifier in eval mode and fp32, never changed after loading, shared by all threads."""

    source: Source
    model: PreTrainedModel = field(repr=False)
    encoder: TextEncoder = field(repr=False)
    labels: tuple[str, ...]
    head: Head
    limit: int
    """Tokens at the most, special ones included; longer texts are truncated, and that is shown."""
    device: torch.device
    parameters: int
    weights_hash: str
    """sha256 over the weight files, adapter last."""
    checkpoint_dtype: str
    """The dtype in which the checkpoint stores its weights; they are always computed with in fp32."""
    loading: LoadingReport
    sites: tuple[Site, ...]
    """Where dropout can act, in the order in which it does, with the checkpoint's own rates."""
    batching: Literal["padded", "equal lengths", "one by one"]
    """How texts may share a batch. Padding is trusted only where a check at loading showed that it changes nothing."""
    notes: tuple[str, ...] = ()
    """What a user should know before trusting this model, in sentences."""

    @property
    def id(self) -> str:
        """The catalog's id."""
        return self.source.id

    @property
    def architecture(self) -> str:
        """The name of the transformers class."""
        return type(self.model).__name__

    @property
    def family(self) -> str:
        """The model type of transformers ("bert", "roberta", ...)."""
        return str(self.model.config.model_type)


@dataclass(frozen=True)
class Condition:
    """Everything but the text that fixes a forward pass on one device."""

    batch: Literal["shared", "alone"] = "shared"
    """Among the other texts of the call, or each text alone in its batch."""
    padded: int = 0
    """Alone, padded to at least so many tokens; 0: to none."""
    among: int = 0
    """Alone but for the first so many of `COMPANY`."""
    kernel: Literal["own", "eager"] = "own"
    """The attention kernel that the model was loaded with (sdpa wherever there is one), or plain matrix products."""
    dtype: Dtype = "float32"
    """What the weights and the arithmetic are rounded to."""


PLAIN = Condition()


@dataclass(frozen=True, eq=False)
class Prediction:
    """Logits of some texts under one condition, and what they cost."""

    encodings: tuple[Encoding, ...]
    logits: Logits
    condition: Condition
    rows_asked: int
    rows_run: int
    """Rows that really went through the model: identical encodings and known ones do not."""


def best_device() -> torch.device:
    """The operator's `WOBBLE_DEVICE`, else CUDA, else MPS, else the CPU."""
    if chosen := settings().device:
        try:
            device = torch.device(chosen)
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise WobbleError(f"WOBBLE_DEVICE is {chosen!r}, which this machine cannot use.") from error
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Run transformers' initialisers from a seed of our own and put the process-wide random state back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the point is to protect the legacy state
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


def load_classifier(source: Source, device: torch.device | None = None) -> Classifier:
    """Load a classifier from files: safetensors only, no remote code, fp32, eval mode.

    Raises:
        WobbleError: the files are no usable classifier; the sentence says why.
    """
    device = device or best_device()
    files = weight_files(source.directory)
    if source.adapter:
        files += weight_files(source.adapter)
    stored = _stored_dtypes(files)
    config = _config(source)
    tokenizer = _tokenizer(source)
    model, loading = _model(source, config, seed=0)
    if loading.missing or loading.mismatched:
        # Names alone give false alarms (a pooler that the head does not use), so what counts is whether the
        # prediction depends on the draw: load under another seed and compare.
        other, _ = _model(source, config, seed=1)
        if not _same_on_probe(model, other, tokenizer):
            loading = LoadingReport(
                loading.missing, loading.unexpected, loading.mismatched, loading.missing + loading.mismatched
            )
    rows = torch.as_tensor(model.get_input_embeddings().weight).shape[0]
    if len(tokenizer) > rows:
        raise WobbleError(
            f"The tokenizer of {source.id} has {len(tokenizer):,} pieces but the model embeds only {rows:,}: "
            "the tokenizer belongs to another model."
        )
    model.to(device)  # type: ignore[arg-type]  # its wrapper is annotated as if `self` were an argument
    model.eval().requires_grad_(False)
    if model.config.get_text_config().pad_token_id is None:
        model.config.get_text_config().pad_token_id = NO_PADDING
    install(model)
    limit = token_limit(model, tokenizer)
    classifier = Classifier(
        source=source,
        model=model,
        encoder=TextEncoder(tokenizer, limit),
        labels=_labels(model),
        head=_head(model),
        limit=limit,
        device=device,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights_hash=sha256(files),
        checkpoint_dtype=stored,
        loading=loading,
        sites=(),
        batching="one by one",
        notes=_notes(source, model, loading, pieces=len(tokenizer), rows=rows),
    )
    return replace(classifier, batching=_batching(classifier), sites=_sites(classifier))


def load_base(source: Source, device: torch.device) -> PreTrainedModel:
    """The model below an adapter, without it: a copy of its own, in fp32 and eval mode.

    Raises:
        WobbleError: it cannot be loaded.
    """
    base = replace(source, adapter=None)
    model, _ = _model(base, _config(base), seed=0)
    model.to(device)  # type: ignore[arg-type]  # as above
    model.eval().requires_grad_(False)
    return model


def predict(
    classifier: Classifier,
    texts: Sequence[str],
    condition: Condition | None = None,
    known: Prediction | None = None,
    token_budget: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Logits of texts: encode, drop duplicates, order by length, run in batches of bounded tokens, scatter back.

    Args:
        texts: any strings; the order and the split into batches change the logits by rounding only.
        condition: how the texts share batches, and how the model computes.
        known: an earlier prediction of this classifier; its token sequences are not run again.
        token_budget: tokens of one batch, padding included; by default what suits the device.
        progress: called with the distinct token sequences that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: a text cannot be encoded, gives no tokens at all, or the logits are not finite; or the model has no
            such condition.
    """
    condition = condition or PLAIN
    check_condition(classifier, condition)
    encodings = classifier.encoder(texts)
    for text, encoding in zip(texts, encodings, strict=True):
        if not encoding.ids:
            raise WobbleError(f"The tokenizer of {classifier.id} makes no token of {text[:40]!r}: nothing to predict.")
    rows: dict[tuple[int, ...], Logits] = {}
    if known is not None:
        rows.update((e.ids, row) for e, row in zip(known.encodings, known.logits, strict=True))
    distinct = {e.ids: e for e in encodings if e.ids not in rows}
    budget = token_budget or TOKEN_BUDGET[classifier.device.type]
    company, done = classifier.encoder(COMPANY[: condition.among]), 0
    for batch in _batches(
        list(distinct.values()), "one by one" if condition.batch == "alone" else classifier.batching, budget
    ):
        found = _forward(classifier, [*batch, *company], condition)
        rows.update(zip((e.ids for e in batch), found[: len(batch)], strict=True))
        done += len(batch)
        if progress is not None:
            progress(done, len(distinct))
    logits = (
        np.stack([rows[e.ids] for e in encodings]) if encodings else np.empty((0, len(classifier.labels)), np.float32)
    )
    rows_of_one = 1 + condition.among
    return Prediction(
        tuple(encodings),
        logits,
        condition,
        rows_asked=rows_of_one * len(texts),
        rows_run=rows_of_one * len(distinct),
    )


def check_condition(classifier: Classifier, condition: Condition) -> None:
    """Refuse a condition that this model cannot be run under, or in which its answer would be another one.

    Raises:
        WobbleError: with one sentence that says why.
    """
    if condition.padded and classifier.batching != "padded":
        raise WobbleError(f"Padding is not run: it would change what {classifier.id} answers, not only how it rounds.")
    if condition.among and classifier.batching != "padded":
        raise WobbleError(f"Other texts are not run beside it: {classifier.id} cannot pad texts of other lengths.")
    if condition.kernel == "eager" and not has_kernels(classifier.model):
        raise WobbleError(f"Another attention kernel is not run: {classifier.architecture} has only one.")
    if condition.padded > classifier.limit or not 0 <= condition.among <= len(COMPANY):
        raise WobbleError(
            f"{classifier.id} cannot be padded to {condition.padded:,} tokens among {condition.among} other texts: "
            f"at most {classifier.limit:,} and {len(COMPANY)}."
        )
    if (condition.padded or condition.among) and condition.batch != "alone":
        raise WobbleError("Padding and company are for texts alone in their batch.")


def _batches(encodings: list[Encoding], batching: str, budget: int) -> Iterator[list[Encoding]]:
    """Split encodings, longest first (an out-of-memory error comes at once), into batches of at most `budget` tokens."""
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


def model_inputs(classifier: Classifier, batch: Sequence[Encoding], padded: int = 0) -> dict[str, torch.Tensor]:
    """What the model is called with: tensors `[len(batch), longest]` on its device, padded on the right.

    Args:
        padded: pad to at least so many tokens.
    """
    longest = max(padded, *(len(e.ids) for e in batch))
    pad = classifier.model.config.get_text_config().pad_token_id or 0
    ids = np.full((len(batch), longest), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    types = np.zeros_like(ids)
    for row, encoding in enumerate(batch):
        length = len(encoding.ids)
        ids[row, :length] = encoding.ids
        mask[row, :length] = 1
        types[row, :length] = encoding.type_ids
    inputs = {"input_ids": ids, "attention_mask": mask}
    if classifier.encoder.uses_type_ids:
        inputs["token_type_ids"] = types
    return {name: torch.from_numpy(array).to(classifier.device) for name, array in inputs.items()}


_casts: Kept[PreTrainedModel] = Kept(limit=4)
"""Copies in half precision: half a model each, gone with their classifier."""


def _in_dtype(classifier: Classifier, dtype: Dtype) -> PreTrainedModel:
    """The shared model, or a private copy of it whose parameters are rounded to another dtype.

    Not `torch.func.functional_call` with rounded parameters: it puts them into the modules while the call lasts, where
    other threads would compute with them. The copy takes the rounded parameters at once, through deepcopy's memo, so
    that no second copy in fp32 is made on the way. Buffers stay as they are, as transformers leaves the frequencies of
    rotary embeddings when it loads in half precision.
    """
    if dtype == "float32":
        return classifier.model

    def copied() -> PreTrainedModel:
        rounded = {
            id(parameter): nn.Parameter(parameter.to(getattr(torch, dtype)), requires_grad=False)
            for parameter in classifier.model.parameters()
        }
        return copy.deepcopy(classifier.model, rounded)

    return _casts.get(classifier, dtype, copied)


def _forward(classifier: Classifier, batch: Sequence[Encoding], condition: Condition = PLAIN) -> Logits:
    """One forward pass over a batch: `[len(batch), n_labels]`."""
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
            return np.concatenate([_forward(classifier, [encoding], condition) for encoding in batch])
        except RuntimeError as error:
            if condition.dtype == "float32":
                raise
            raise WobbleError(
                f"{condition.dtype} is not run: {classifier.architecture} does not compute in it on "
                f"{classifier.device}: {first_line(error)}"
            ) from error
        logits: Logits = output.float().cpu().numpy()
    if not np.isfinite(logits).all():
        if condition.dtype != "float32":
            raise WobbleError(f"In {condition.dtype} {classifier.id} answers with numbers that are not finite.")
        raise WobbleError(f"{classifier.id} answers with numbers that are not finite: its weights are damaged.")
    return logits


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a model or adapter directory, in order.

    Raises:
        WobbleError: there is none, or one cannot be read.
    """
    files = sorted(directory.glob("*.safetensors"))
    if not files:
        pickles = sorted(p.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt") for p in directory.glob(pattern))
        if pickles:
            raise WobbleError(
                f"{directory.name} holds its weights only as a pickle ({pickles[0]}), which can run code when it is "
                "opened; convert it to safetensors."
            )
        raise WobbleError(f"{directory.name} is no model: it holds no weights (no .safetensors file).")
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            raise WobbleError(f"The weights file {directory.name}/{file.name} is damaged or cut short.") from error
    return files


def _stored_dtypes(files: Sequence[Path]) -> str:
    """The dtypes that the weight files store, most frequent first ("F16", "F32, I64")."""
    counts: dict[str, int] = {}
    for file in files:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        for name, entry in header.items():
            if name != "__metadata__":
                counts[entry["dtype"]] = counts.get(entry["dtype"], 0) + 1
    return ", ".join(sorted(counts, key=lambda dtype: -counts[dtype]))


def sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _config(source: Source) -> Any:
    path = source.config
    if not path.is_file():
        raise WobbleError(f"{source.id} is no model: it holds no config.json.")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise WobbleError(f"The config.json of {source.id} is not readable JSON.") from error
    try:
        return AutoConfig.from_pretrained(path.parent, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # any library error about a stranger's file is that stranger's file being wrong
        if isinstance(raw, dict) and raw.get("auto_map"):
            raise WobbleError(
                f"{source.id} needs Python code of its own (auto_map), which Wobble does not run."
            ) from error
        raise WobbleError(f"transformers cannot read the config.json of {source.id}: {first_line(error)}") from error


def _tokenizer(source: Source) -> Any:
    if source.tokenizer is None:
        raise WobbleError(f"{source.id} has no tokenizer: none of {', '.join(TOKENIZER_FILES)} is there.")
    try:
        return AutoTokenizer.from_pretrained(source.tokenizer, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # as for the config
        raise WobbleError(f"The tokenizer of {source.id} cannot be loaded: {first_line(error)}") from error


def _model(source: Source, config: Any, seed: int) -> tuple[PreTrainedModel, LoadingReport]:
    """Load the weights; parameters that the checkpoint lacks are drawn from `seed`."""
    try:
        with drawn_from(seed):
            model, info = AutoModelForSequenceClassification.from_pretrained(
                source.directory,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # as for the config
        raise WobbleError(f"{source.id} cannot be loaded as a text classifier: {first_line(error)}") from error
    parameters = {name for name, _ in model.named_parameters()}
    missing = {name for name in info["missing_keys"] if name in parameters}
    unexpected = set(info["unexpected_keys"])
    mismatched = {entry[0] if isinstance(entry, tuple) else entry for entry in info["mismatched_keys"]}
    if source.adapter:
        from peft import PeftModel  # heavy, and needed for adapters only

        with safe_open(weight_files(source.adapter)[0], framework="pt") as tensors:
            brought = {name.removeprefix("base_model.model.") for name in tensors.keys()}  # noqa: SIM118 - no mapping
        try:
            with drawn_from(seed):
                adapted = PeftModel.from_pretrained(model, source.adapter, local_files_only=True)
                model = adapted.merge_and_unload()
        except Exception as error:  # as for the config
            raise WobbleError(f"The adapter {source.id} does not fit its base model: {first_line(error)}") from error
        missing -= brought
        mismatched -= brought
    model.eval()
    return model, LoadingReport(tuple(sorted(missing)), tuple(sorted(unexpected)), tuple(sorted(mismatched)))


def _same_on_probe(model: PreTrainedModel, other: PreTrainedModel, tokenizer: Any) -> bool:
    inputs = tokenizer(PROBES[1], return_tensors="pt")
    with torch.inference_mode():
        return bool(torch.equal(model(**inputs).logits, other(**inputs).logits))


def _batching(classifier: Classifier) -> Literal["padded", "equal lengths", "one by one"]:
    """Find out by trying whether padding leaves this model's logits alone (XLNet, say, reads its answer off the padding)."""
    if classifier.model.config.get_text_config().pad_token_id == NO_PADDING:
        return "equal lengths"
    try:
        encodings = classifier.encoder(PROBES)
        alone = np.concatenate([_forward(classifier, [encoding]) for encoding in encodings])
        together = _forward(classifier, encodings)
    except WobbleError:
        return "one by one"
    scale = max(1.0, float(np.abs(alone).max()))
    return "padded" if float(np.abs(alone - together).max()) <= SAFE_PADDING * scale else "equal lengths"


def _sites(classifier: Classifier) -> tuple[Site, ...]:
    """Find the dropout sites by running a probe in three equal rows and listening where dropout is asked for."""
    encoding = classifier.encoder(PROBES[1:])[0]
    recorder = Recorder(rows=3, row_dimension=ROW_DIMENSION.get(classifier.family, 0))
    with torch.inference_mode(), calling(recorder, classifier.model.base_model_prefix):
        classifier.model(**model_inputs(classifier, [encoding] * 3))
    return recorder.sites


def _head(model: PreTrainedModel) -> Head:
    """The same choice as transformers' TextClassificationPipeline.postprocess makes."""
    if model.config.problem_type == "regression":
        return "regression"
    if model.config.problem_type == "multi_label_classification" or model.config.num_labels == 1:
        return "sigmoid"
    return "softmax"


def _labels(model: PreTrainedModel) -> tuple[str, ...]:
    names: dict[int, str] = model.config.id2label or {}  # type: ignore[assignment]  # annotated with str keys, holds int
    return tuple(str(names.get(i, f"LABEL_{i}")) for i in range(model.config.num_labels or 0))


def token_limit(model: PreTrainedModel, tokenizer: Any) -> int:
    """Tokens at the most: the tokenizer's own limit (about 1e30 where nobody set one), never beyond the position table."""
    limits = [int(min(tokenizer.model_max_length, LONGEST))]
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa and its kin count positions from padding_idx + 1, so their first rows hold no position.
        offset = max(
            (
                int(module.padding_idx) + 1
                for name, module in model.named_modules()
                if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None
            ),
            default=0,
        )
        limits.append(positions - offset)
    return min(limits)


def _notes(source: Source, model: PreTrainedModel, loading: LoadingReport, pieces: int, rows: int) -> tuple[str, ...]:
    notes = []
    if loading.untrained:
        names = ", ".join(loading.untrained[:4]) + (", …" if len(loading.untrained) > 4 else "")
        notes.append(
            f"The head of {source.id} was never trained: {names} are not in the checkpoint and were drawn at random, "
            "so its predictions mean nothing."
        )
    if pieces < ALMOST_ALL * rows:
        notes.append(
            f"The tokenizer of {source.id} has {pieces:,} pieces and the model embeds {rows:,}: it may belong to another model."
        )
    labels = _labels(model)
    if len(labels) > 1 and all(label.startswith("LABEL_") for label in labels):
        notes.append(
            f"The labels of {source.id} have no names of their own (LABEL_0, …): its config does not say what they mean."
        )
    if len(set(labels)) < len(labels):
        notes.append(f"Several labels of {source.id} share one name.")
    if len(labels) == 1 and _head(model) == "sigmoid":
        notes.append(
            f"{source.id} has one label and names no problem type: read as a yes-or-no answer, as transformers does."
        )
    return tuple(notes)
