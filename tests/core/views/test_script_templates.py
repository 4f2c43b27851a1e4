"""No text, label, path or name can become code in a script; models are loaded and texts are batched as Wobble does it."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from core.data.labelled import DataSource
from core.factors.dropout import Dropout
from core.families.stacked import Family, load_family
from core.models.catalog import load
from core.models.classifier import Source
from core.studies.study import Study, study
from core.training.recipe import Recipe, plan
from core.training.runs import Run
from core.views.scripts import (
    calibration_script,
    dropout_script,
    edits_script,
    interpolation_script,
    numerics_script,
    on_data_script,
    predict_script,
    resplit_script,
    seeds_script,
    tokens_script,
    training_script,
)
from core.views.scripts.render import TEMPLATES, Code
from tests.architectures import loaded, save

HOSTILE = [
    "'); import os; os.abort()  #",
    '"""\nimport os\n"""',
    "'''\n]\nraise SystemExit\n",
    "\\",
    "\\'\n\r\x0b\x0c\x1c\x85\u2028\u2029import os",
    "{{ 7 * 7 }}{% include 'article.py.j2' %}{# gone #}",
    "{}.items()} {0} %s %(x)s",
    "a\u202eb\u2066c\u200bd\x00e\ud800",
    "<b>&amp;'</b> ü",
    "",
]
FAMILY, CLASSIFIER = "minilm-uncased", "minilm-uncased-43"


def shape(script: str) -> str:
    """A script's program with every constant blotted out."""
    tree = ast.parse(script)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
    return ast.dump(tree)


def same_program(make: Callable[[str], str], hostile: str) -> None:
    script = make(hostile)
    assert script.isascii()
    assert shape(script) == shape(make("harmless"))
    constants = {node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)}
    assert any(isinstance(value, str) and value.endswith(hostile) for value in constants)


@pytest.fixture(scope="module")
def family() -> Family:
    return load_family(FAMILY)


@pytest.fixture(scope="module")
def conditions() -> Study:
    return study(load(CLASSIFIER), "harmless", ["numerics"])


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_text_becomes_code(hostile: str, family: Family, conditions: Study) -> None:
    classifier = load(CLASSIFIER)
    same_program(lambda text: predict_script(classifier, ["first", text]), hostile)
    same_program(lambda text: edits_script(classifier, text, {"casing": [text, "B"]}), hostile)
    same_program(lambda text: predict_script(classifier, [text], 0.5, 2.0), hostile)
    same_program(lambda text: dropout_script(classifier, text, 3, Dropout(rate=0.3)) or "", hostile)
    reference = conditions.reference
    same_program(
        lambda text: numerics_script(classifier, replace(conditions, reference=replace(reference, text=text))), hostile
    )
    same_program(lambda text: tokens_script(classifier, [text, text]), hostile)
    same_program(lambda text: resplit_script(classifier, text, 3), hostile)
    same_program(lambda text: seeds_script(family, text), hostile)
    same_program(lambda text: interpolation_script(family, *family.names[:2], text), hostile)


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if text and "\x00" not in text], ids=ascii)
def test_no_path_id_label_or_factor_becomes_code(hostile: str, family: Family) -> None:
    classifier = load(CLASSIFIER)
    hub = Source("", "hub", classifier.source.directory)
    same_program(lambda name: predict_script(replace(classifier, source=replace(hub, id=name)), ["a"]), hostile)
    same_program(lambda name: edits_script(classifier, "a", {name: ["b"]}), hostile)
    same_program(
        lambda name: calibration_script(replace(classifier, source=Source("", "local", Path("/models") / name))),
        hostile,
    )
    same_program(lambda name: on_data_script(replace(family, first=replace(family.first, labels=("a", name)))), hostile)
    recipe = Recipe("mine", "minilm", DataSource("movie"), plan((1, 2), "together"))
    run = Run(
        folder=Path("mine"), recipe=recipe, created=0.0, state="done", message="",
        finished=(),
    )  # fmt: skip
    # The last name of the path is the script's own, so a folder stands before it.
    scripts = [training_script(replace(run, folder=Path("/runs") / name)) for name in (hostile, "harmless")]
    assert shape(scripts[0]) == shape(scripts[1])


@given(st.text(st.characters()))
def test_whatever_stands_in_braces_is_a_literal_of_its_value(text: str) -> None:
    template = TEMPLATES.from_string("{{ text }}\n{{ [text] | lines }}\n{{ {text: [text]} | lines }}\n")
    value, listed, nested = ast.parse(template.render(text=text)).body
    assert [ast.literal_eval(ast.unparse(node)) for node in (value, listed, nested)] == [text, [text], {text: [text]}]


def test_only_what_is_marked_as_code_is_written_as_it_is() -> None:
    template = TEMPLATES.from_string("{{ value }}")
    assert template.render(value=Code("f(x)")) == "f(x)"
    assert template.render(value=("a", Code("f(x)"), 1.5, None)) == "('a', f(x), 1.5, None)"
    assert template.render(value="f(x)") == "'f(x)'"


@pytest.mark.parametrize("template", ["{{ missing }}", "{{ missing | lines }}", "{% if missing %}{% endif %}"])
def test_a_template_that_asks_for_an_unknown_value_fails(template: str) -> None:
    with pytest.raises(UndefinedError, match="missing"):
        TEMPLATES.from_string(template).render()


def test_every_shared_part_stands_in_some_script() -> None:
    sources = {name: TEMPLATES.loader.get_source(TEMPLATES, name)[0] for name in TEMPLATES.list_templates()}
    parts = {name for name in sources if name.startswith("_")}
    assert parts
    assert [part for part in parts if not any(f'"{part}"' in source for source in sources.values())] == []


def test_an_adapter_with_labels_of_its_own_is_loaded_by_its_own_config(tmp_path: Path) -> None:
    classifier = load(CLASSIFIER)
    assert "AutoConfig" not in predict_script(classifier, ["a"])
    (tmp_path / "config.json").write_text("{}")
    own = replace(classifier, source=replace(classifier.source, adapter=tmp_path))
    script = predict_script(own, ["a"])
    assert "config=AutoConfig.from_pretrained(folder), ignore_mismatched_sizes=True" in script
    assert f"model = loaded({str(tmp_path)!a})\n" in script


def test_a_model_that_padding_disturbs_gets_its_labelled_texts_one_by_one(tmp_path: Path) -> None:
    assert ", padding=True" in calibration_script(load(CLASSIFIER))
    alone = calibration_script(loaded(save("xlnet", tmp_path / "xlnet")))
    assert "padding=" not in alone and "range(0, len(texts), 1)" in alone


def test_the_dropout_script_draws_on_the_device_that_wobble_draws_on() -> None:
    classifier = load(CLASSIFIER)
    script = dropout_script(replace(classifier, device=torch.device("cuda")), "a", 2, Dropout())
    assert script is not None
    assert "model.to('cuda')\n" in script and ").to('cuda')\n" in script and "torch.Generator('cuda')" in script
    assert ".to(" not in (dropout_script(classifier, "a", 2, Dropout()) or ".to(")


def test_a_script_that_loads_an_adapter_says_where_the_missing_head_is() -> None:
    said = "reported as MISSING"
    assert said in predict_script(load(), ["A test."])
    assert said not in predict_script(replace(load(), untrained=("classifier.weight",)), ["A test."])
    assert said not in predict_script(load("bpe-cased"), ["A test."])
