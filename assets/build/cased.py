"""Two small cased models for which other edits are visible: `bpe-cased` (byte-level BPE) and `unigram-cased` (Metaspace).

Their tokenizers are trained on the snippets. Each starts from three of MiniLM's layers and, for every piece, the mean of
MiniLM's embeddings of that piece; learns to answer like `minilm-uncased` on the snippets and on pieces of them
(distillation: the mean of the last hidden states and the logits); and is then fine-tuned in full on the labels.
"""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from peft import PeftModel
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    Trainer,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    set_seed,
)

from assets.build.encoder import LABELS
from assets.build.paths import MODELS
from assets.build.training import RatedTrainer, encode, labelled, train
from core.data.snippets import snippets

PIECES = 8000
LAYERS = (0, 2, 5)
LIMIT = 256
SEED = 42
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SPACE_MARKS = "\u0120\u2581"

DISTILL = {"epochs": 4, "learning_rate": 4e-4}
FINE_TUNE = {"epochs": 3, "learning_rate": 5e-5}
CROPS = 1
"""Random stretches of words per snippet that the teacher also answers: more to learn from than whole snippets."""


def _corpus() -> Iterator[str]:
    """What the tokenizers are trained on: everything but the test split."""
    for split in ("train", "validation"):
        yield from snippets(split)["text"]


def byte_level() -> Tokenizer:
    """Byte-level BPE as RoBERTa's: case, and every space, stays visible."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    return tokenizer


def unigram() -> Tokenizer:
    """Unigram with Metaspace as XLM-R's: case stays visible, repeated spaces fold into one, as SentencePiece does."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=PIECES, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(_corpus(), trainer)
    return tokenizer


KINDS: dict[str, tuple[Any, type, type]] = {
    "bpe-cased": (byte_level, RobertaConfig, RobertaForSequenceClassification),
    "unigram-cased": (unigram, XLMRobertaConfig, XLMRobertaForSequenceClassification),
}


def _tokenizer(name: str) -> PreTrainedTokenizerFast:
    tokenizer = KINDS[name][0]()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=LIMIT,
        model_input_names=["input_ids", "attention_mask"],
    )


def teacher() -> BertForSequenceClassification:
    """`minilm-uncased` in fp32."""
    base = AutoModelForSequenceClassification.from_pretrained(MODELS / "minilm", dtype=torch.float32)
    merged: BertForSequenceClassification = PeftModel.from_pretrained(
        base, MODELS / "minilm-uncased"
    ).merge_and_unload()
    return merged.eval()


def start(name: str, tokenizer: PreTrainedTokenizerFast, big: BertForSequenceClassification) -> PreTrainedModel:
    """A model of three of the teacher's layers, with an embedding for every piece of the tokenizer."""
    _, config_class, model_class = KINDS[name]
    config = config_class(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=len(LAYERS),
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=LIMIT + 2,
        type_vocab_size=1,
        layer_norm_eps=1e-12,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        id2label=LABELS,
        label2id={label: i for i, label in LABELS.items()},
    )
    model = model_class(config)
    encoder = model.base_model
    words = big.bert.embeddings.word_embeddings.weight
    reader = AutoTokenizer.from_pretrained(MODELS / "minilm")
    with torch.no_grad():
        table = words.mean(0).repeat(len(tokenizer), 1) + 0.02 * torch.randn(len(tokenizer), 384)
        for piece, row in tokenizer.get_vocab().items():
            text = tokenizer.backend_tokenizer.decoder.decode([piece]) if piece not in SPECIAL else ""
            ids = reader(text.strip(), add_special_tokens=False)["input_ids"]
            if not piece.startswith(tuple(SPACE_MARKS)) and text[:1].isalpha():
                # Without a space before it, a piece of letters continues a word.
                ids = reader.convert_tokens_to_ids(
                    [f"##{token.removeprefix('##')}" for token in reader.convert_ids_to_tokens(ids)]
                )
            ids = [id for id in ids if id != reader.unk_token_id]
            if ids:
                table[row] = words[ids].mean(0)
        for piece, like in (("<s>", "[CLS]"), ("<pad>", "[PAD]"), ("</s>", "[SEP]"), ("<mask>", "[MASK]")):
            table[tokenizer.convert_tokens_to_ids(piece)] = words[reader.convert_tokens_to_ids(like)]
        encoder.embeddings.word_embeddings.weight.copy_(table)
        encoder.embeddings.position_embeddings.weight[2:].copy_(big.bert.embeddings.position_embeddings.weight[:LIMIT])
        encoder.embeddings.token_type_embeddings.weight.copy_(big.bert.embeddings.token_type_embeddings.weight[:1])
        encoder.embeddings.LayerNorm.load_state_dict(big.bert.embeddings.LayerNorm.state_dict())
        for mine, theirs in enumerate(LAYERS):
            encoder.encoder.layer[mine].load_state_dict(big.bert.encoder.layer[theirs].state_dict())
    return model


def lessons(big: BertForSequenceClassification) -> Dataset:
    """Texts with the teacher's answers: the mean of its last hidden states `[384]` and its logits `[2]`."""
    rng = random.Random(SEED)
    texts = list(dict.fromkeys(_corpus()))
    for text in list(texts):
        words = text.split(" ")
        for _ in range(CROPS):
            length = rng.randint(3, 16)
            if len(words) > length + 2:
                begin = rng.randrange(len(words) - length)
                texts.append(" ".join(words[begin : begin + length]))
    texts = sorted(dict.fromkeys(texts), key=len)
    reader = AutoTokenizer.from_pretrained(MODELS / "minilm")
    means, logits = [], []
    for begin in range(0, len(texts), 64):
        inputs = reader(texts[begin : begin + 64], return_tensors="pt", padding=True, truncation=True, max_length=128)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            output = big(**inputs, output_hidden_states=True)
        means.append(_mean(output.hidden_states[-1].float(), inputs["attention_mask"]).numpy())
        logits.append(output.logits.float().numpy())
    return Dataset.from_dict({"text": texts, "mean": np.concatenate(means), "answer": np.concatenate(logits)})


def _mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the real tokens: `[n, tokens, width]` to `[n, width]`."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


class _Distillation(Trainer):
    """Learn the teacher's mean hidden state (squared error) and its softened answer (KL divergence at T = 2)."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        mean, answer = inputs.pop("mean"), inputs.pop("answer")
        output = model(**inputs, output_hidden_states=True)
        state = _mean(output.hidden_states[-1], inputs["attention_mask"])
        like = torch.nn.functional.mse_loss(state.float(), mean) / mean.var()
        soft = torch.nn.functional.kl_div(
            (output.logits.float() / 2).log_softmax(-1), (answer / 2).softmax(-1), reduction="batchmean"
        )
        loss = like + 4.0 * soft
        return (loss, output) if return_outputs else loss


def build(name: str) -> Path:
    """Train and write one of the two cased models; returns its directory."""
    set_seed(SEED)
    tokenizer = _tokenizer(name)
    big = teacher()
    model = start(name, tokenizer, big)
    validation = encode(labelled("validation", "movie"), tokenizer)
    train(
        model,
        encode(lessons(big), tokenizer),
        tokenizer,
        name=f"{name}-distilled",
        seed=SEED,
        batch_size=64,
        trainer_class=_Distillation,
        collator=DataCollatorWithPadding(tokenizer),
        **DISTILL,
    )
    train(
        model,
        encode(labelled("train", "movie"), tokenizer),
        tokenizer,
        name=name,
        seed=SEED,
        validation=validation,
        trainer_class=RatedTrainer,
        **FINE_TUNE,
    )
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    compact(folder / "tokenizer.json")
    return folder


def compact(file: Path) -> None:
    """Rewrite a JSON file without its white space: a third of a tokenizer's."""
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
