"""Loading a classifier from files: safetensors only, no remote code, fp32, eval mode, and every doubt in a sentence."""

import json
import logging
import random
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from core.base.errors import WobbleError, first_line
from core.models.classifier import (
    TOKENIZER_FILES,
    Batching,
    Classifier,
    Source,
    best_device,
    sha256,
    stored_dtypes,
    weight_files,
)
from core.models.heads import REGRESSION, SIGMOID, SOFTMAX, Head
from core.models.predict import forward, model_inputs
from core.models.site import Kind, Site
from core.models.sites import calling, install, row_dimension
from core.text.tokens import TextEncoder

# Wobble reports the loading itself, in words (`Classifier.notes`); transformers' own table and bar would only fill the log.
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
logging.getLogger("peft").setLevel(logging.ERROR)
# peft still asks transformers by the old name.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

LONGEST = 8192
"""The most tokens where neither the tokenizer nor the model names a limit (XLNet, T5)."""


PROBES = ("Fine.", "A text of quite another length, so that the first one has to be padded.")
"""Two texts of different lengths, for the checks while a model is loaded."""


ALMOST_ALL = 0.9
"""Embedding rows are often padded to a round number, so the right tokenizer has nearly, but not exactly, as many pieces."""


NO_PADDING = -1
"""Stands for the pad token where a model has none: heads that look for the last real token refuse batches without one.
No id is -1, so nothing counts as padding, and only texts of equal length share a batch."""


SAFE_PADDING = 1e-4
"""Largest logit difference between a text alone and the same text padded that can still be rounding."""


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Run transformers' initialisers from a seed of our own and restore the process-wide random state afterwards."""
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
        WobbleError: the files are not a usable classifier; the sentence says why.
    """
    device = device or best_device()
    files = weight_files(source.directory)
    if source.adapter:
        files += weight_files(source.adapter)
    config = _config(source)
    tokenizer = load_tokenizer(source)
    model, untrained = _model(source, config, seed=0)
    if untrained:
        # Names alone give false alarms (a pooler that the head does not use), so what counts is whether the
        # prediction depends on the draw: load under another seed and compare.
        other, _ = _model(source, config, seed=1)
        inputs = tokenizer(PROBES[1], return_tensors="pt")
        with torch.inference_mode():
            if torch.equal(model(**inputs).logits, other(**inputs).logits):
                untrained = ()
    rows = torch.as_tensor(model.get_input_embeddings().weight).shape[0]
    if len(tokenizer) > rows:
        raise WobbleError(
            f"The tokenizer of {source.id} has {len(tokenizer):,} pieces but the model embeds only {rows:,}: "
            "the tokenizer belongs to another model."
        )
    model.to(device)  # type: ignore[arg-type]  # its wrapper is annotated as if `self` were an argument
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
        checkpoint_dtype=stored_dtypes(files),
        untrained=untrained,
        sites=(),
        batching="one by one",
        notes=_notes(source, model, untrained, pieces=len(tokenizer), rows=rows),
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
    return model


def _config(source: Source) -> Any:
    path = source.config
    if not path.is_file():
        raise WobbleError(f"{source.id} is not a model: it holds no config.json.")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise WobbleError(f"The config.json of {source.id} is not readable JSON.") from error
    try:
        return AutoConfig.from_pretrained(path.parent, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # any library error about a stranger's file is that stranger's file being wrong
        raise WobbleError(
            f"{source.id} needs Python code of its own (auto_map), which Wobble does not run."
            if isinstance(raw, dict) and raw.get("auto_map")
            else f"transformers cannot read the config.json of {source.id}: {first_line(error)}"
        ) from error


def load_tokenizer(source: Source) -> Any:
    """The tokenizer of transformers.

    Raises:
        WobbleError: there is none, or it cannot be loaded.
    """
    if source.tokenizer is None:
        raise WobbleError(f"{source.id} has no tokenizer: none of {', '.join(TOKENIZER_FILES)} is there.")
    try:
        return AutoTokenizer.from_pretrained(source.tokenizer, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # as for the config
        raise WobbleError(f"The tokenizer of {source.id} cannot be loaded: {first_line(error)}") from error


def pretrained(directory: Path, **settings: Any) -> tuple[PreTrainedModel, dict[str, set[str]]]:
    """A classifier as transformers makes it from a directory (safetensors only, no remote code, no network, fp32), and the names
    of the tensors with which something was wrong, by transformers' names for what was wrong.

    Args:
        settings: more of what `from_pretrained` takes.
    """
    model, info = AutoModelForSequenceClassification.from_pretrained(
        directory,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **settings,
    )
    # What does not fit comes with its two shapes.
    return model, {
        kind: {entry[0] if isinstance(entry, tuple) else entry for entry in found} for kind, found in info.items()
    }


def _model(source: Source, config: Any, seed: int) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """Load the weights, and draw from `seed` the parameters that the checkpoint lacks or has in another shape: their names."""
    try:
        with drawn_from(seed):
            model, info = pretrained(source.directory, config=config)
    except Exception as error:  # as for the config
        raise WobbleError(f"{source.id} cannot be loaded as a text classifier: {first_line(error)}") from error
    parameters = {name for name, _ in model.named_parameters()}
    drawn = [*sorted(info["missing_keys"] & parameters), *sorted(info["mismatched_keys"])]
    if source.adapter:
        from peft import PeftModel  # heavy, and needed for adapters only

        with safe_open(weight_files(source.adapter)[0], framework="pt") as tensors:
            brought = {name.removeprefix("base_model.model.") for name in tensors.keys()}  # noqa: SIM118 - no mapping
        try:
            with drawn_from(seed):
                model = PeftModel.from_pretrained(model, source.adapter, local_files_only=True).merge_and_unload()
        except Exception as error:  # as for the config
            raise WobbleError(f"The adapter {source.id} does not fit its base model: {first_line(error)}") from error
        drawn = [name for name in drawn if name not in brought]
    model.eval().requires_grad_(False)
    return model, tuple(drawn)


def _batching(classifier: Classifier) -> Batching:
    """Find out by trying whether padding leaves this model's logits unchanged (XLNet, say, reads its answer from the padding)."""
    if classifier.model.config.get_text_config().pad_token_id == NO_PADDING:
        return "equal lengths"
    try:
        encodings = classifier.encoder(PROBES)
        alone = np.concatenate([forward(classifier, [encoding]) for encoding in encodings])
        together = forward(classifier, encodings)
    except WobbleError:
        return "one by one"
    scale = max(1.0, float(np.abs(alone).max()))
    return "padded" if float(np.abs(alone - together).max()) <= SAFE_PADDING * scale else "equal lengths"


def _sites(classifier: Classifier) -> tuple[Site, ...]:
    """Find the dropout sites by running a probe in three equal rows and listening where dropout is asked for."""
    rows = 3
    found: dict[tuple[str, Kind], Site] = {}

    def remember(name: str, kind: Kind, rate: float, x: torch.Tensor) -> torch.Tensor:
        dimension = row_dimension(x, classifier.family)
        by_row = x.dim() > dimension and x.shape[dimension] == rows
        found.setdefault((name, kind), Site(name, kind, rate, shared=not by_row))
        return x

    with torch.inference_mode(), calling(remember, classifier.model.base_model_prefix):
        classifier.model(**model_inputs(classifier, classifier.encoder(PROBES[1:]) * rows))
    return tuple(found.values())


def _head(model: PreTrainedModel) -> Head:
    """The same choice as transformers' TextClassificationPipeline.postprocess makes."""
    if model.config.problem_type == "regression":
        return REGRESSION
    if model.config.problem_type == "multi_label_classification" or model.config.num_labels == 1:
        return SIGMOID
    return SOFTMAX


def _labels(model: PreTrainedModel) -> tuple[str, ...]:
    names: dict[int, str] = model.config.id2label or {}  # type: ignore[assignment]  # annotated with str keys, holds int
    return tuple(str(names.get(i, f"LABEL_{i}")) for i in range(model.config.num_labels or 0))


def token_limit(model: PreTrainedModel, tokenizer: Any) -> int:
    """The most tokens: the tokenizer's own limit (about 1e30 where nobody set one), never beyond the position table."""
    longest = int(min(tokenizer.model_max_length, LONGEST))
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    # RoBERTa and its kin count positions from padding_idx + 1, so their first rows hold no position.
    offset = max(
        (
            int(module.padding_idx) + 1
            for name, module in model.named_modules()
            if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None
        ),
        default=0,
    )
    return min(longest, positions - offset) if isinstance(positions, int) and positions > 0 else longest


def _notes(source: Source, model: PreTrainedModel, untrained: Sequence[str], pieces: int, rows: int) -> tuple[str, ...]:
    labels = _labels(model)
    drawn = ", ".join(untrained[:4]) + (", …" if len(untrained) > 4 else "")
    notes = {
        f"The head of {source.id} was never trained: {drawn} are not in the checkpoint and were drawn at random, "
        "so its predictions mean nothing.": untrained,
        f"The tokenizer of {source.id} has {pieces:,} pieces and the model embeds {rows:,}: it may belong to another model.": (
            pieces < ALMOST_ALL * rows
        ),
        f"The labels of {source.id} have no names of their own (LABEL_0, …): its config does not say what they mean.": (
            len(labels) > 1 and all(label.startswith("LABEL_") for label in labels)
        ),
        f"Several labels of {source.id} share one name.": len(set(labels)) < len(labels),
        f"{source.id} has one label and names no problem type: read as a yes-or-no answer, as transformers does.": (
            len(labels) == 1 and _head(model).has_labels
        ),
    }
    return tuple(note for note, applies in notes.items() if applies)
