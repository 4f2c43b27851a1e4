"""Fine-tuned classifiers on `minilm`: one LoRA adapter (peft) a seed. The data and the recipe are the same, the seed differs."""

import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

from assets.build.paths import MODELS
from assets.build.training import RatedTrainer, encode, labelled, train

SEEDS = (42, 43, 44, 45, 46, 47, 48, 49)
RANK = 8
ALPHA = 32
EPOCHS = 3
LEARNING_RATE = 6e-4
BATCH = 16


def adapter_name(seed: int) -> str:
    """Seed 42 is the default model; the others stand beside it."""
    return "minilm-uncased" if seed == 42 else f"minilm-uncased-{seed}"


def build(seed: int = 42) -> Path:
    """Train and write the adapter of a seed; returns its directory."""
    base = MODELS / "minilm"
    tokenizer = AutoTokenizer.from_pretrained(base)
    set_seed(seed)  # before the head is created, or its initial weights would not belong to the seed
    model = AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=["query", "key", "value", "dense"],
        modules_to_save=["classifier"],
    )
    adapted = get_peft_model(model, config)
    data = encode(labelled("train", "movie"), tokenizer)
    validation = encode(labelled("validation", "movie"), tokenizer)
    train(
        adapted,
        data,
        tokenizer,
        name=adapter_name(seed),
        seed=seed,
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        batch_size=BATCH,
        validation=validation,
        trainer_class=RatedTrainer,
    )
    folder = MODELS / adapter_name(seed)
    shutil.rmtree(folder, ignore_errors=True)
    adapted.half()
    adapted.peft_config["default"].base_model_name_or_path = f"../{base.name}"
    adapted.save_pretrained(folder)
    # peft's empty template; cards.py writes the card, with the measured numbers.
    (folder / "README.md").unlink(missing_ok=True)
    if seed == SEEDS[0]:  # the default stands for itself; the others have their encoder's tokenizer
        tokenizer.save_pretrained(folder)
    return folder
