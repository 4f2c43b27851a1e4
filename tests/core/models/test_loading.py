"""Loading: fp32, eval mode, no foreign code, the random state left alone, and every doubt in a sentence."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from core.base.errors import WobbleError
from core.models.classifier import Source
from core.models.loading import load_base, load_classifier
from core.models.predict import Condition, predict
from tests.architectures import loaded, save, save_byt5

Rewritten = Callable[..., Path]


def random_states() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_loading_a_model_with_a_missing_head_leaves_the_random_state_alone(rewritten: Rewritten) -> None:
    headless = rewritten(
        "headless", lambda tensors: {k: v for k, v in tensors.items() if not k.startswith("classifier")}
    )
    before = random_states()
    found = loaded(headless)
    assert random_states() == before
    assert set(found.untrained) == {"classifier.weight", "classifier.bias"}
    assert "never trained" in found.notes[0]


def test_a_head_that_is_missing_is_drawn_alike_at_every_loading(rewritten: Rewritten) -> None:
    headless = rewritten("headless", lambda tensors: {k: v for k, v in tensors.items() if "classifier" not in k})
    one, other = loaded(headless), loaded(headless)
    assert torch.equal(one.model.classifier.weight, other.model.classifier.weight)


def test_a_missing_tensor_that_the_prediction_does_not_use_is_no_untrained_head(
    rewritten: Rewritten, tmp_path: Path
) -> None:
    # XLNet's mask embedding takes part in pre-training only.
    whole = save("xlnet", tmp_path / "xlnet")
    directory = rewritten("lacking", lambda tensors: {k: v for k, v in tensors.items() if "mask_emb" not in k}, whole)
    found = loaded(directory)
    lacking = {name for name, _ in found.model.named_parameters()} - set(load_file(directory / "model.safetensors"))
    assert any("mask_emb" in name for name in lacking)
    assert found.untrained == ()
    assert found.notes == loaded(whole).notes


@pytest.mark.parametrize(("dtype", "name"), [("float16", "F16"), ("bfloat16", "BF16")])
def test_half_precision_on_disk_is_fp32_in_memory(dtype: str, name: str, rewritten: Rewritten) -> None:
    half = rewritten("half", lambda tensors: {k: v.to(getattr(torch, dtype)) for k, v in tensors.items()})
    # As transformers saves it: the config says so too, and is believed where nobody asks for a dtype.
    config = json.loads((half / "config.json").read_text())
    (half / "config.json").write_text(json.dumps(config | {"dtype": dtype, "torch_dtype": dtype}))
    found = loaded(half)
    assert {parameter.dtype for parameter in found.model.parameters()} == {torch.float32}
    assert found.checkpoint_dtype == name
    base = load_base(Source("half", "local", half), torch.device("cpu"))
    assert {parameter.dtype for parameter in base.parameters()} == {torch.float32}


def test_a_loaded_model_is_in_eval_mode_whatever_the_libraries_left_it_in(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapted = get_peft_model(
        AutoModelForSequenceClassification.from_pretrained(directory),
        LoraConfig(task_type="SEQ_CLS", target_modules=["query"]),
    )
    adapted.save_pretrained(tmp_path / "adapter")
    of_transformers, of_peft = AutoModelForSequenceClassification.from_pretrained, PeftModel.from_pretrained

    def training(*arguments: Any, **options: Any) -> Any:
        model, info = of_transformers(*arguments, **options)
        return model.train(), info

    monkeypatch.setattr(AutoModelForSequenceClassification, "from_pretrained", training)
    monkeypatch.setattr(PeftModel, "from_pretrained", lambda *a, **o: of_peft(*a, **o).train())
    plain = Source("plain", "local", directory)
    for model in (
        load_classifier(plain, torch.device("cpu")).model,
        load_classifier(Source("adapter", "local", directory, tmp_path / "adapter"), torch.device("cpu")).model,
        load_base(plain, torch.device("cpu")),
    ):
        assert not any(module.training for module in model.modules())
        assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("auto_map", ["AutoConfig", "AutoModelForSequenceClassification", "AutoTokenizer"])
def test_code_that_comes_with_a_model_never_runs(auto_map: str, rewritten: Rewritten, tmp_path: Path) -> None:
    copy, marker = rewritten("code", lambda tensors: tensors), tmp_path / "ran"
    (copy / "theirs.py").write_text(
        f"open({str(marker)!r}, 'w').close()\n"
        "from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast\n"
        "class Config(BertConfig):\n    pass\n"
        "class Model(BertForSequenceClassification):\n    pass\n"
        "class Tokenizer(PreTrainedTokenizerFast):\n    pass\n"
    )
    file = copy / ("tokenizer_config.json" if auto_map == "AutoTokenizer" else "config.json")
    content = json.loads(file.read_text())
    if auto_map == "AutoConfig":
        content |= {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config"}}
    elif auto_map == "AutoTokenizer":
        content |= {"tokenizer_class": "Theirs", "auto_map": {"AutoTokenizer": [None, "theirs.Tokenizer"]}}
    else:
        content |= {"auto_map": {auto_map: "theirs.Model"}}
    file.write_text(json.dumps(content))
    try:
        found = loaded(copy)
        assert type(found.model).__module__.startswith("transformers.")
    except WobbleError as error:
        assert "\n" not in str(error)
        assert auto_map != "AutoConfig" or "Python code of its own" in str(error)
    assert not marker.exists()


def test_damaged_weights_are_named(rewritten: Rewritten) -> None:
    broken = rewritten("nan", lambda tensors: {k: v * float("nan") for k, v in tensors.items()})
    classifier = loaded(broken)
    for _ in range(2):  # run, then remembered
        with pytest.raises(WobbleError, match="not finite"):
            predict(classifier, classifier.encoder(["text"]), Condition(batch="alone"))


def test_a_tokenizer_written_in_python_works(tmp_path: Path) -> None:
    copy = save_byt5(tmp_path / "byt5")
    found = loaded(copy)
    assert "written in Python" in found.encoder.name
    encodings = found.encoder(["caf\u00e9", "caf\u00e9"])
    assert predict(found, encodings).rows_run == 1
    assert encodings[0].offsets is None
