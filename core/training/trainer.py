"""Fine-tuning one member of a family: transformers' Trainer, through peft where the method is LoRA.

Runs in a worker process of its own (`core.training.worker`): it seeds the process-wide random state, which pages must never do.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.pytorch_utils import Conv1D
from transformers.trainer_pt_utils import LengthGroupedSampler

from core.base.errors import WobbleError, first_line
from core.base.versions import versions
from core.data.labelled import Labelled
from core.models import catalog
from core.models.classifier import Source, sha256, weight_files
from core.models.loading import load_tokenizer, pretrained, token_limit
from core.training.recipe import ALPHA, LIMIT, MEMBER_RECORD, MOST_EVALUATED, RANK, Recipe, Seeds, drawn

Report = Callable[[dict[str, Any]], None]
"""Called with what has just happened, as plain JSON values."""


class _Trainer(Trainer):
    """Takes the order of the texts from a generator of its own, and stops where the loss is not a number."""

    order: int

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        generator = torch.Generator().manual_seed(self.order)
        lengths = [len(row["input_ids"]) for row in rows]
        return LengthGroupedSampler(self.args.train_batch_size, lengths=lengths, generator=generator)

    def compute_loss(  # type: ignore[override]  # what else it is given is Trainer's business
        self, model: Any, inputs: Any, return_outputs: bool = False, **kwargs: Any
    ) -> Any:
        found: Any = super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)
        loss = (found[0] if return_outputs else found).detach()
        if model.training and not bool(torch.isfinite(loss)):
            raise _no_number(float(loss), f"at step {self.state.global_step + 1:,}")
        return found


def _no_number(loss: float, where: str) -> WobbleError:
    return WobbleError(f"The loss became {loss:g} {where}, so training stopped: a lower learning rate usually helps.")


class _Told(TrainerCallback):
    """Hands losses and evaluations on, with the speed and what is left."""

    def __init__(self, report: Report, recipe: Recipe) -> None:
        self.report, self.recipe, self.begin = report, recipe, 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock, and dropout's random numbers: whatever was drawn before does not count."""
        torch.manual_seed(args.seed)
        self.begin = time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        logs = logs or {}
        seconds = time.monotonic() - self.begin
        event = {"step": state.global_step, "steps": state.max_steps, "epoch": state.epoch}
        if "loss" in logs:
            event |= {
                "event": "step",
                "loss": float(logs["loss"]),
                "examples_per_second": state.global_step * self.recipe.batch / max(seconds, 1e-9),
                "seconds_left": seconds * (state.max_steps - state.global_step) / max(1, state.global_step),
            }
        elif "eval_loss" in logs:
            if not math.isfinite(logs["eval_loss"]):
                # The very last step may spoil the weights, which no training loss would show.
                raise _no_number(float(logs["eval_loss"]), f"on the held-out texts after step {state.global_step:,}")
            event |= {
                "event": "evaluated",
                "accuracy": float(logs["eval_accuracy"]),
                "loss": float(logs["eval_loss"]),
            }
        if "event" in event:
            self.report(event)


def train_member(
    recipe: Recipe, data: Labelled, seeds: Seeds, name: str, folder: Path, device: torch.device, report: Report
) -> dict[str, Any]:
    """Train one member and put it into `folder`, which is there only when it is complete.

    Returns:
        The record that lies beside it: how it was trained, `accuracy` and `loss` (mean negative log likelihood in nats) on
        the held-out texts after the last epoch, `weights` (sha256 of the adapter, or of the whole model), `seconds`.

    Raises:
        WobbleError: the base cannot be trained, or the loss was no longer a number.
    """
    begin = time.monotonic()
    source = catalog.base_source(recipe.base)
    tokenizer = load_tokenizer(source)
    # Seeded before the model is made: parameters that the checkpoint lacks, and LoRA's first factors, are drawn here.
    torch.manual_seed(seeds.head)
    model, fresh = _model(source, recipe, data.names)
    limit = _padded(model, tokenizer, recipe.base)
    trained: nn.Module = _adapted(model, fresh) if recipe.method == "lora" else model
    partial = folder.parent / f".{folder.name}"
    shutil.rmtree(partial, ignore_errors=True)
    examples = drawn(data.part("train"), recipe.examples, seeds.subset)
    held_out = drawn(data.part("validation"), MOST_EVALUATED, seed=0)
    steps = math.ceil(len(examples.texts) / recipe.batch) * recipe.epochs
    trainer = _Trainer(
        model=trained,
        args=_arguments(recipe, seeds, steps, partial / "work", device),
        train_dataset=_encoded(examples, tokenizer, limit),
        eval_dataset=_encoded(held_out, tokenizer, limit),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_accuracy,
        callbacks=[_Told(report, recipe)],
    )
    trainer.order = seeds.order
    trainer.train()
    last = next(entry for entry in reversed(trainer.state.log_history) if "eval_loss" in entry)
    _save(trained, tokenizer, recipe, partial)
    record = {
        "recipe": recipe.document(),
        "seeds": asdict(seeds),
        "name": name,
        "data_fingerprint": data.fingerprint,
        "trained_on": len(examples.texts),
        "tested_on": len(held_out.texts),
        "accuracy": float(last["eval_accuracy"]),
        "loss": float(last["eval_loss"]),
        "weights": sha256(weight_files(partial)),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "seconds": time.monotonic() - begin,
    }
    (partial / MEMBER_RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
    shutil.rmtree(partial / "work", ignore_errors=True)
    partial.rename(folder)
    return record


def _padded(model: PreTrainedModel, tokenizer: Any, base: str) -> int:
    """Tell the model what texts are padded with; returns the most tokens that a text may have.

    Raises:
        WobbleError: there is no pad token.
    """
    if tokenizer.pad_token_id is None:
        raise WobbleError(
            f"{base} has no pad token, without which texts of different lengths cannot share a batch: "
            "choose an encoder, or a decoder whose tokenizer has one."
        )
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    return min(LIMIT, token_limit(model, tokenizer))


def _arguments(recipe: Recipe, seeds: Seeds, steps: int, work: Path, device: torch.device) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(work),
        seed=seeds.dropout,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.batch,
        per_device_eval_batch_size=64,
        warmup_steps=0.06,
        weight_decay=0.01,
        bf16=recipe.precision == "bf16",
        use_cpu=device.type == "cpu",
        eval_strategy="epoch",
        save_strategy="no",
        logging_steps=max(1, steps // 100),
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        label_names=["labels"],
        dataloader_pin_memory=False,
    )


def _model(source: Source, recipe: Recipe, names: Sequence[str]) -> tuple[PreTrainedModel, set[str]]:
    """The base with a head for these labels, and the names of the parameters that were drawn for it."""
    try:
        model, info = pretrained(
            source.directory,
            num_labels=len(names),
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
            problem_type="single_label_classification",
        )
    except Exception as error:  # any library error about a stranger's file is that stranger's file being wrong
        raise WobbleError(f"{recipe.base} cannot be fine-tuned as a text classifier: {first_line(error)}") from error
    return model, info["missing_keys"] | info["mismatched_keys"]


def _adapted(model: PreTrainedModel, fresh: set[str]) -> nn.Module:
    base = model.base_model_prefix
    heads = [name for name, child in model.named_children() if name != base and any(True for _ in child.parameters())]
    # Trained in full beside LoRA: the head, and what the checkpoint lacks (BERT's pooler, say).
    whole = [*heads, *sorted({name.rpartition(".")[0] for name in fresh if name.startswith(f"{base}.")})]
    linear = [
        name
        for name, module in model.base_model.named_modules(prefix=model.base_model_prefix)
        if isinstance(module, nn.Linear | Conv1D) and name not in whole
    ]
    return get_peft_model(
        model,
        LoraConfig(
            task_type="SEQ_CLS",
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=0.0,
            target_modules=linear,
            modules_to_save=whole,
            fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        ),
    )


def _encoded(data: Labelled, tokenizer: Any, limit: int) -> list[dict[str, Any]]:
    rows = tokenizer(list(data.texts), truncation=True, max_length=limit)
    return [
        {**{name: values[i] for name, values in rows.items()}, "labels": int(label)}
        for i, label in enumerate(data.labels)
    ]


def _accuracy(prediction: Any) -> dict[str, float]:
    logits = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    return {"accuracy": float((np.asarray(logits).argmax(-1) == prediction.label_ids).mean())}


def _save(trained: nn.Module, tokenizer: Any, recipe: Recipe, folder: Path) -> None:
    model: Any = trained.to("cpu")
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.method == "lora":
        model.peft_config["default"].base_model_name_or_path = recipe.base
        # Nobody resizes the vocabulary here, and peft would ask the hub for the base's.
        model.save_pretrained(folder, save_embedding_layers=False)
        # The base's own config does not know these labels.
        model.get_base_model().config.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # peft's empty template
    else:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
