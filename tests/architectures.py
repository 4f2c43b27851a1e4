"""Small classifiers with random weights, one for each supported architecture, saved as transformers would save them.

Each has a tokenizer of the kind that its family uses, trained on a few sentences, so that promises can be tested where
architectures differ: pad tokens, position offsets, token types, pooling, the side of the padding.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    BartConfig,
    BertConfig,
    ByT5Tokenizer,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    LlamaConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    RobertaConfig,
    XLMRobertaConfig,
    XLNetConfig,
)

from core.models.classifier import Classifier, Source
from core.models.loading import load_classifier

SENTENCES = [
    "This is a test.",
    "The movie was not bad at all, it was wonderful!",
    "Few films this year have been as resolute in their emotional nakedness.",
    "I don't like it; do you?",
    "AN UPPER CASE SENTENCE, shouted loudly...",
    "caf\u00e9 na\u00efve \u201cquoted\u201d \u2014 dashes and 123 numbers",
]
VOCABULARY = 400
WIDTH = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def wordpiece(**special: str) -> PreTrainedTokenizerFast:
    """BERT's kind: lower-cased WordPiece."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=pieces))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        **special,
    )


def byte_level(prefix: bool = True, pad: bool = True) -> PreTrainedTokenizerFast:
    """RoBERTa's kind (`<s> … </s>`), or without either GPT-2's: nothing around the text and no pad token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=pieces, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    if prefix:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    if pad:
        special["pad_token"] = "<pad>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "attention_mask"], **special
    )


def unigram(tail: bool = False) -> PreTrainedTokenizerFast:
    """XLM-R's kind (`<s> … </s>`), or ALBERT's and XLNet's with `[CLS]` at either end."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        SENTENCES, trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=pieces, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s> <s>:2" if tail else "<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
        padding_side="left" if tail else "right",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"]
        if tail
        else ["input_ids", "attention_mask"],
    )


def _gpt2(**kwargs: Any) -> GPT2Config:
    return GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=0, eos_token_id=2, **kwargs)


def _decoder(config: type, **kwargs: Any) -> Any:
    return config(num_key_value_heads=2, max_position_embeddings=128, bos_token_id=0, eos_token_id=2, **WIDTH, **kwargs)


Make = tuple[Callable[..., Any], Callable[[], PreTrainedTokenizerFast]]
ARCHITECTURES: dict[str, Make] = {
    "bert": (lambda **k: BertConfig(max_position_embeddings=128, **WIDTH, **k), wordpiece),
    "distilbert": (
        lambda **k: DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=128, **k),
        lambda: wordpiece(model_input_names=["input_ids", "attention_mask"]),  # type: ignore[arg-type]
    ),
    "roberta": (lambda **k: RobertaConfig(max_position_embeddings=130, pad_token_id=1, **WIDTH, **k), byte_level),
    "xlm-roberta": (lambda **k: XLMRobertaConfig(max_position_embeddings=130, pad_token_id=1, **WIDTH, **k), unigram),
    "albert": (lambda **k: AlbertConfig(embedding_size=16, max_position_embeddings=128, **WIDTH, **k), wordpiece),
    "electra": (lambda **k: ElectraConfig(embedding_size=16, max_position_embeddings=128, **WIDTH, **k), wordpiece),
    "deberta-v2": (
        lambda **k: DebertaV2Config(
            max_position_embeddings=128, relative_attention=True, pos_att_type=["p2c", "c2p"], **WIDTH, **k
        ),
        wordpiece,
    ),
    "modernbert": (
        lambda **k: ModernBertConfig(
            max_position_embeddings=128, pad_token_id=0, cls_token_id=2, sep_token_id=3, **WIDTH, **k
        ),
        lambda: wordpiece(model_input_names=["input_ids", "attention_mask"]),  # type: ignore[arg-type]
    ),
    "mpnet": (
        lambda **k: MPNetConfig(max_position_embeddings=130, pad_token_id=1, **WIDTH, **k),
        byte_level,
    ),
    "xlnet": (
        lambda **k: XLNetConfig(d_model=32, n_layer=2, n_head=4, d_inner=64, pad_token_id=1, **k),
        lambda: unigram(tail=True),
    ),
    "gpt2": (_gpt2, lambda: byte_level(prefix=False, pad=False)),
    "gpt2-with-pad": (lambda **k: _gpt2(pad_token_id=1, **k), lambda: byte_level(prefix=False)),
    "bart": (
        lambda **k: BartConfig(
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_position_embeddings=128,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_eos_token_id=2,
            **k,
        ),
        byte_level,
    ),
    "llama": (lambda **k: _decoder(LlamaConfig, pad_token_id=1, **k), lambda: byte_level(prefix=False)),
    "qwen2": (lambda **k: _decoder(Qwen2Config, **k), lambda: byte_level(prefix=False, pad=False)),
}
"""Name of the architecture: how to make its config and its tokenizer."""


def save(name: str, directory: Path, seed: int = 0, **config: Any) -> Path:
    """Write a random classifier of an architecture and its tokenizer into a directory.

    Labels are named by `labels`, or numbered up to `num_labels` (2); other keywords go to the config. The initial weights
    are scaled up: the default standard deviation of 0.02 makes every prediction 1 / n_labels, and no test of equality
    could fail.
    """
    make_config, make_tokenizer = ARCHITECTURES[name]
    tokenizer = make_tokenizer()
    tokenizer.model_max_length = 100
    # Named labels: transformers leaves two unnamed ones out of config.json, and BART then reads its own default, three.
    names = config.pop("labels", None) or [f"label {i}" for i in range(config.pop("num_labels", 2))]
    config |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(
            make_config(**({"vocab_size": len(tokenizer) + 8} | config))
        )
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0.0, 0.2)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def save_byt5(directory: Path) -> Path:
    """Write a random BERT whose tokenizer, of bytes, is written in Python: it has no offsets and no stages."""
    save("bert", directory, vocab_size=400)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (directory / name).unlink()
    ByT5Tokenizer(extra_ids=0).save_pretrained(directory)
    return directory


def loaded(directory: Path, device: torch.device | None = None) -> Classifier:
    """The classifier in a directory, by default on the CPU."""
    return load_classifier(Source(f"models/{directory.name}", "local", directory), device or torch.device("cpu"))
