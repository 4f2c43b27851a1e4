"""The command line: JSON and nothing else on stdout; an error is one line on stderr and exit status 2."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.cli import main

ROOT = Path(__file__).parent.parent.parent


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    entries = printed(capsys, "models", "--json")
    assert set(entries[0]) == {"id", "source", "family", "labels", "parameters", "tokenizer", "available"}
    assert entries[0]["id"] == "minilm-uncased"


def test_predict(capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed(capsys, "predict", "A wonderful film.", "A dreadful bore.", "--json")
    assert [row["label"] for row in rows] == ["positive", "negative"]
    for row in rows:
        assert {"text", "label", "probabilities", "tokens", "ids", "truncated"} <= set(row)
        assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_perturb_erases_and_reaches(capsys: pytest.CaptureFixture[str]) -> None:
    text = "This is a test . "
    uncased = printed(capsys, "perturb", text, "--json")
    assert uncased["reference"]["text"] == text
    assert uncased["forward_rows"] < uncased["rows_asked"]
    for row in uncased["variants"]:
        assert {"perturbation", "factor", "text", "ids", "absorbed", "label", "probabilities", "flip", "shift"} <= set(
            row
        )
        assert row["absorbed"] == (row["ids"] == uncased["reference"]["ids"])


def test_the_articles_example_has_the_same_ids_for_bert_and_others_for_byte_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = ("This is a test.", "This is a test . ")
    uncased, cased = ([row["ids"] for row in printed(capsys, "predict", *texts, "--model", model, "--json")]
                      for model in ("minilm-uncased", "bpe-cased"))  # fmt: skip
    assert uncased[0] == uncased[1]
    assert cased[0] != cased[1]


def test_only_some_factors(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "perturb", "A good film.", "--only", "casing,punctuation", "--json")
    assert {row["factor"] for row in document["variants"]} == {"casing", "punctuation"}


def test_the_same_seed_gives_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, other = (
        printed(capsys, "perturb", "A good film.", "--only", "typo", "--seed", seed, "--json") for seed in "778"
    )
    assert first == second
    assert [row["text"] for row in first["variants"]] != [row["text"] for row in other["variants"]]


def test_tokens_of_two_models(capsys: pytest.CaptureFixture[str]) -> None:
    documents = printed(
        capsys, "tokens", "A  Good film.", "--model", "minilm-uncased", "--model", "unigram-cased", "--json"
    )
    assert [document["model"] for document in documents] == ["minilm-uncased", "unigram-cased"]
    assert documents[0]["normalized"] == "a  good film."
    assert documents[1]["pre_tokens"][0]["text"].startswith("\u2581")
    for document in documents:
        assert len(document["ids"]) == len(document["tokens"]) == len(document["offsets"])


def test_numerics(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "numerics", "A good film.", "--json")
    floor = max(row["shift"] for row in document["conditions"] if row["dtype"] == "float32")
    assert document["noise_floor"] == floor
    for row in (document["reference"], *document["conditions"]):
        assert {"condition", "probabilities", "largest_logit_difference", "flip"} <= set(row)


def test_profile(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "profile", "A good film.", "--passes", "3", "--json")
    assert {"reference", "factors", "verdict", "seconds"} <= set(document)
    assert len(document["factors"]) == 9
    for row in document["factors"]:
        assert {"factor", "tried", "absorbed", "flip_rate", "largest_shift", "median_shift", "worst"} <= set(row)


def test_shortest(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "shortest", "Even in this less than magic kingdom, Reese rules.", "--json")
    assert len(document["flips"][0]["edits"]) == 1
    assert document["flips"][0]["margin"] < 0


@pytest.mark.parametrize(
    "command",
    [
        ["models"],
        ["predict", "a b"],
        ["perturb", "a b"],
        ["tokens", "a b"],
        ["dropout", "a b", "--passes", "3"],
        ["temperature", "a b"],
        ["numerics", "a b"],
        ["profile", "a b", "--passes", "3"],
        ["shortest", "a b", "--budget", "20"],
    ],
)
def test_every_command_prints_something_to_read(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["predict"],
        ["predict", "x", "--model", "no such model"],
        ["predict", "\ud800"],
        ["perturb", "x", "--only", "nonsense"],
        ["perturb", "x", "--seed", "one"],
        ["tokens", "x", "--model", "/etc"],
        ["dropout", "x", "--passes", "0"],
        ["dropout", "x", "--passes", "1000000"],
        ["dropout", "x", "--p", "1"],
        ["dropout", "x", "--p", "nan"],
        ["dropout", "x", "--sites", "nonsense"],
        ["seeds", "x", "--family", "bpe-cased"],
        ["temperature", "x", "--at", "0"],
        ["temperature", "x", "--at", "-1"],
        ["temperature", "x", "--at", "nan"],
        ["temperature", "x", "--at", "1e-38"],
    ],
)
def test_an_error_is_one_line_on_stderr_and_status_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("wobble: ")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["--json", "-5", "", "<script>", "$x$", "a\0b".replace("\0", "\t"), "\u202e\U0001f469\u200d\U0001f467"]
)
def test_two_dashes_end_the_options(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "predict", "--json", "--", text)[0]["text"] == text


def test_nothing_but_json_comes_out_of_a_fresh_process_in_a_plain_locale() -> None:
    plain = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-m", "core", "perturb", "caf\u00e9 \u201cquoted\u201d", "--only", "unicode", "--json"],
        cwd=ROOT, env=plain, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["reference"]["text"] == "caf\u00e9 \u201cquoted\u201d"


def test_the_engine_imports_neither_streamlit_nor_plotly_nor_datasets_nor_pandas() -> None:
    heavy = "{'streamlit', 'plotly', 'datasets', 'pandas'}"
    check = f"import sys, core, core.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_dropout(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "dropout", "A modest, messy thriller.", "--passes", "20", "--seed", "3", "--json")
    assert len(document["samples"]) == 20
    assert {"reference", "mean", "std", "flip_rate", "entropy", "mutual_information", "variation_ratio"} <= set(
        document
    )
    again = printed(capsys, "dropout", "A modest, messy thriller.", "--passes", "20", "--seed", "3", "--json")
    assert again["samples"] == document["samples"]
    head = printed(
        capsys, "dropout", "A modest, messy thriller.", "--passes", "5", "--sites", "head", "--p", "0.5", "--json"
    )
    assert {site["kind"] for site in head["dropout"]["acting"]} == {"head"}


def test_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "seeds", "Even in this less than magic kingdom, Reese rules.", "--json")
    assert [member["seed"] for member in document["seeds"]] == list(range(42, 50))
    assert 0.5 <= document["agreement"] <= 1
    assert 0 <= document["pairwise_disagreement"] <= 1
    assert sum(document["ensemble"]["probabilities"].values()) == pytest.approx(1)


def test_temperature_keeps_the_label(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "temperature", "A fine film.", "--at", "0.1", "1", "10", "--json")
    assert [row["temperature"] for row in document["temperatures"]] == [0.1, 1, 10]
    assert len({row["label"] for row in document["temperatures"]}) == 1
    entropies = [row["entropy"] for row in document["temperatures"]]
    assert entropies == sorted(entropies)
