"""`minilm`: all-MiniLM-L6-v2 as it was published, in fp16, under the labels of the task."""

import shutil

import torch
from transformers import BertConfig, BertModel, BertTokenizer

from assets.build import sources
from assets.build.paths import MODELS

LABELS = {0: "negative", 1: "positive"}


def build() -> int:
    """Write assets/models/minilm; returns its number of parameters."""
    source = sources.minilm()
    folder = MODELS / "minilm"
    shutil.rmtree(folder, ignore_errors=True)
    config = BertConfig.from_pretrained(source, id2label=LABELS, label2id={name: i for i, name in LABELS.items()})
    model = BertModel.from_pretrained(source, config=config, dtype=torch.float16)
    model.save_pretrained(folder)
    tokenizer = BertTokenizer.from_pretrained(source, model_max_length=512)
    tokenizer.save_pretrained(folder)
    return model.num_parameters()
