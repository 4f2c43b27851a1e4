"""What all trainings share: transformers' Trainer with one recipe of arguments, and accuracy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

from assets.build.paths import WORK
from core.data.snippets import snippets


def labelled(split: str, domain: str | None = None) -> Dataset:
    """The labelled snippets of a split: columns `text`, `labels` and `rating` (mean, from -4 to 4)."""
    data = snippets(split, domain, labelled=True)
    return Dataset.from_dict(
        {"text": data["text"], "labels": [int(label) for label in data["label"]], "rating": data["rating_mean"]}
    )


def encode(data: Dataset, tokenizer: Any, limit: int = 128) -> Dataset:
    """Replace the text by its token ids."""
    return data.map(
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=limit),
        batched=True,
        remove_columns=["text"],
        keep_in_memory=True,
    )


class RatedTrainer(Trainer):
    """Cross-entropy against what the raters said: a mild snippet asks for a mild probability, `sigmoid(rating)`."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        positive = torch.sigmoid(inputs["rating"].float())
        output = model(**{name: value for name, value in inputs.items() if name not in ("rating", "labels")})
        loss = torch.nn.functional.cross_entropy(output.logits.float(), torch.stack([1 - positive, positive], dim=-1))
        return (loss, output) if return_outputs else loss


def accuracy(prediction: Any) -> dict[str, float]:
    """For Trainer: the share of rows whose label is right."""
    return {"accuracy": float((np.asarray(prediction.predictions).argmax(-1) == prediction.label_ids).mean())}


def train(
    model: torch.nn.Module,
    data: Dataset,
    tokenizer: Any,
    *,
    name: str,
    seed: int,
    epochs: float,
    learning_rate: float,
    batch_size: int = 32,
    validation: Dataset | None = None,
    trainer_class: type[Trainer] = Trainer,
    collator: Callable[..., Any] | None = None,
) -> Trainer:
    """Train a model in place, in bf16 autocast on the best device, with seeded order and dropout.

    Args:
        model: anything that Trainer trains.
        data: encoded rows.
        validation: encoded rows whose accuracy is measured after each epoch.
    """
    arguments = TrainingArguments(
        output_dir=str(WORK / name),
        seed=seed,
        data_seed=seed,
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=128,
        warmup_steps=0.06,
        weight_decay=0.01,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch" if validation is not None else "no",
        save_strategy="no",
        logging_steps=50,
        disable_tqdm=True,
        report_to=[],
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
    trainer = trainer_class(
        model=model,
        args=arguments,
        train_dataset=data,
        eval_dataset=validation,
        data_collator=collator or DataCollatorWithPadding(tokenizer),
        compute_metrics=accuracy if validation is not None else None,
    )
    trainer.train()
    return trainer
