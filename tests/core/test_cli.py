"""The command line: JSON and nothing else on stdout; an error is one line on stderr and exit status 2."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from core.base.cache import forget
from core.cli import add_commands, app, main
from core.factors.ask import Ask
from core.factors.case import Case
from core.factors.dropout import one_pass
from core.factors.registry import Range, factor, factors, unregister
from core.models import catalog
from core.studies.study import study
from tests.architectures import save

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
    made = []
    for seed in "778":
        forget(catalog.load())  # as in a process of its own: what it costs is told too
        made.append(printed(capsys, "perturb", "A good film.", "--only", "typo", "--seed", seed, "--json"))
    first, second, other = made
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
    assert (
        document["noise_floor"] >= max(row["shift"] for row in document["conditions"] if row["dtype"] == "float32") > 0
    )
    for row in (document["reference"], *document["conditions"]):
        assert {"condition", "probabilities", "largest_logit_difference", "flip"} <= set(row)


def test_profile(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "profile", "A good film.", "--passes", "3", "--json")
    assert {"reference", "factors", "verdict", "seconds"} <= set(document)
    assert {row["factor"] for row in document["factors"]} == {one.name for one in factors()}
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
        ["segmentation", "a b"],
        ["seeds", "a b"],
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


UNDERSTOOD = (
    ["--help"], ["profile", "--help"], ["dropout", "--help"], ["models", "--json"],
    [], ["nonsense"], ["predict"], ["predict", "x", "--speed", "1"], ["predict", "x", "--model", "no such model"],
    ["perturb", "x", "--only", "nonsense"], ["perturb", "x", "--seed", "one"], ["perturb", "x", "--seed", "-1"],
    ["dropout", "x", "--passes", "0"], ["dropout", "x", "--p", "1"], ["segmentation", "x", "--draws", "0"],
    ["temperature", "x", "--at", "0"], ["seeds", "x", "--family", "bpe-cased"], ["profile", "x", "--passes", "0"],
    ["shortest", "x", "--edits", "9"], ["shortest", "x", "--budget", "0"], ["replay", "no such file"],
    ["train", "--seeds", "44-42"], ["train", "--data", "no such data"], ["train", "--epochs", "0"],
)  # fmt: skip
"""Help, the catalog, and mistakes that are known for what they are without a model."""


def test_help_and_usage_errors_import_neither_torch_nor_transformers() -> None:
    said = """
        import json, sys
        from core.cli import main
        for arguments in json.loads(sys.argv[1]):
            status = main(arguments)
            heavy = sorted({"torch", "transformers"} & set(sys.modules))
            print(json.dumps([arguments, status, heavy]), file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(said), json.dumps(UNDERSTOOD)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert found == [[one, 0 if number < 4 else 2, []] for number, one in enumerate(UNDERSTOOD)]


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


def test_the_engine_imports_neither_streamlit_nor_plotly_nor_datasets_nor_pandas_nor_nltk() -> None:
    heavy = "{'streamlit', 'plotly', 'datasets', 'pandas', 'nltk'}"
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


def test_segmentation(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("segmentation", "A modest, messy thriller.", "--draws", "6", "--p", "0.4")
    document = printed(capsys, *arguments, "--seed", "3", "--json")
    assert {"reference", "cases", "flip_rate"} <= set(document)
    for case in document["cases"]:
        assert {"tokens", "ids", "label", "probabilities", "flip", "shift"} <= set(case)
    assert len(document["cases"]) + document["rejected"] == 6
    assert document["rate"] == {"p": 0.4}
    drawn = [case["ids"] for case in document["cases"]]
    assert [case["ids"] for case in printed(capsys, *arguments, "--seed", "3", "--json")["cases"]] == drawn
    assert [case["ids"] for case in printed(capsys, *arguments, "--seed", "4", "--json")["cases"]] != drawn
    unigram = ("--model", "unigram-cased", "--alpha", "0.7", "--draws", "2", "--json")
    assert printed(capsys, "segmentation", "A fine film.", *unigram)["rate"] == {"alpha": 0.7}


def test_segmentation_names_each_case_and_says_what_its_rate_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segmentation", "A modest, messy thriller.", "--draws", "3"]) == 0
    head, reference, *rows, last = capsys.readouterr().out.splitlines()
    assert head.startswith("case") and reference.startswith("reference ")
    names = [row for row in rows if row.startswith(("draw ", "nearest "))]
    assert names[0].startswith("draw 1 ") and names[3].startswith("nearest 1 ")
    assert re.fullmatch(r"p = 0\.1; 0 rejected, \d repeated; the flip rate counts draws only\.", last)


def test_a_tokenizer_without_other_segmentations_says_so_in_one_sentence(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.text.segmentation.why_not", lambda encoder: "No other segmentation here.")
    arguments = ("segmentation", "A good test.", "--model", "models/base")
    document = printed(capsys, *arguments, "--json")
    assert (document["cases"], document["nearest"], document["flip_rate"]) == ([], [], None)
    assert document["notes"] == ["No other segmentation here."]
    assert main([*arguments]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["No other segmentation here."]


def test_the_commands_of_temperature_and_seeds_give_the_numbers_of_their_factors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "Even in this less than magic kingdom, Reese rules."
    found = study(catalog.load(), text, ["temperature", "seed"], {"temperature": {"at": (0.5, 2.0)}})
    tempered = printed(capsys, "temperature", text, "--at", "0.5", "2", "--json")["temperatures"]
    seeds = printed(capsys, "seeds", text, "--json")["seeds"]
    # The model itself is the first of the seeds, and the reference of the study.
    for command, row in ((tempered, found["temperature"]), (seeds[1:], found["seed"])):
        assert [one["label"] for one in command] == [case.label for case in row.cases]
        said = [list(one["probabilities"].values()) for one in command]
        np.testing.assert_allclose(said, row.probabilities, atol=1e-6)
    assert [f"T = {one['temperature']:g}" for one in tempered] == [case.name for case in found["temperature"].cases]
    assert [f"seed {one['seed']}" for one in seeds[1:]] == [case.name for case in found["seed"].cases]


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


@pytest.fixture
def toy() -> Iterator[None]:
    """A factor that is registered here and named nowhere else, with a command of its own."""

    @factor("jolt", one="jolt", many="jolts")
    def jolt(
        ask: Ask,
        *,
        times: Annotated[int, Range("how often", 1, 9)] = 2,
        parts: Annotated[tuple[str, ...] | None, Range("which", choices=("head", "tail"))] = None,
        rates: Annotated[Sequence[float], Range("how much", 0, 1)] = (0.5, 1.0),
        way: Annotated[str, Range("where to", choices=("up", "down"))] = "up",
    ) -> Iterator[Case]:
        """turn the logits round"""
        ask.facts["options"] = [times, parts, list(rates), way]
        yield from ask.measured([one_pass(i) for i in range(times)], np.stack([-ask.reference.logits] * times))

    known = list(app.registered_commands)
    add_commands()
    yield
    app.registered_commands[:] = known
    unregister("jolt")


@pytest.mark.usefixtures("toy")
def test_a_factor_that_is_registered_has_a_command_made_from_its_signature(capsys: pytest.CaptureFixture[str]) -> None:
    document = printed(capsys, "jolt", "A fine film.", "--json")
    (row,) = document["factors"]
    assert (row["factor"], row["tried"], row["flips"]) == ("jolt", 2, 2)
    assert row["options"] == [2, None, [0.5, 1.0], "up"]
    arguments = ("--times", "3", "--parts", "head, tail", "--rates", "0,.25", "--way", "down")
    (row,) = printed(capsys, "jolt", "A fine film.", *arguments, "--json")["factors"]
    assert (row["tried"], row["options"]) == (3, [3, ["head", "tail"], [0.0, 0.25], "down"])
    assert main(["jolt", "A fine film."]) == 0 and "jolt" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert "turn the logits round" in capsys.readouterr().out
    assert main(["jolt", "--help"]) == 0
    assert "how often" in capsys.readouterr().out
    wrongs = (["--times", "0"], ["--parts", "arm"], ["--rates", "half"], ["--rates", "2"], ["--way", "sideways"],
              ["--speed", "1"])  # fmt: skip
    for wrong in wrongs:
        assert main(["jolt", "x", *wrong]) == 2
        found = capsys.readouterr()
        assert found.out == "" and found.err.count("\n") == 1


def test_a_factor_that_is_gone_has_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jolt", "A fine film."]) == 2
    assert "jolt" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train", "models", "seeds"])
def test_a_factor_with_the_name_of_a_command_is_refused(name: str) -> None:
    factor(name, one="jolt", many="jolts")(lambda ask: ())
    try:
        with pytest.raises(ValueError, match=f"the factor {name} needs another name"):
            add_commands()
    finally:
        unregister(name)


def test_each_factor_has_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands]  # type: ignore[union-attr]
    assert len(names) == len(set(names))
    assert {"dropout", "numerics", "segmentation", "temperature", "seeds"} <= set(names)
    add_commands()
    assert [command.name or command.callback.__name__ for command in app.registered_commands] == names  # type: ignore[union-attr]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of models, runs and data, with a small base and a small file."""
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    save("bert", tmp_path / "models" / "base")
    rows = [f"A {'good' if i % 2 else 'bad'} test {i}.,{i % 2}" for i in range(50)]
    (tmp_path / "mine.csv").write_text("\n".join(["words,stance", *rows, ",1"]), encoding="utf-8")
    return tmp_path


def test_edits_of_a_long_text_are_placed_where_the_model_reads(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "A good film, and it isn't long. " * 80
    document = printed(capsys, "perturb", text, "--model", "models/base", "--only", "typo", "--json")
    assert document["reference"]["truncated"]
    assert {row["fate"] for row in document["variants"]} <= {"reaches the model", "flips", "absorbed"}


@pytest.mark.slow
def test_train_prints_one_row_a_seed(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = ("--text-column", "words", "--label-column", "stance")
    data = ("--data", str(folders / "mine.csv"), *columns, "--base", "models/base", "--examples", "20")
    assert main(["train", "--seeds", "1,2", *data, "--json"]) == 0
    found = capsys.readouterr()
    rows = json.loads(found.out)
    assert [(row["name"], row["saved"]) for row in rows] == [("1", "runs/mine/seed-1"), ("2", "runs/mine/seed-2")]
    for row in rows:
        assert 0 <= row["accuracy"] <= 1 and row["loss"] > 0 and row["tested_on"] == 10
        assert (folders / row["saved"] / "adapter_model.safetensors").is_file()
    assert "wobble: note: 1 row without a text was left out." in found.err
    assert "held-out accuracy" in found.err
    seeds = printed(capsys, "seeds", "A good test.", "--family", "runs/mine", "--json")
    assert [member["seed"] for member in seeds["seeds"]] == [1, 2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seeds", "42,42"],
        ["--seeds", "x"],
        ["--seeds", "42", "--vary", "head"],
        ["--vary", "nonsense"],
        ["--data", "gone.csv"],
        ["--data", "nobody/nothing"],
        ["--data", "notes.txt"],
        ["--label-column", "gone", "--data", "mine.csv"],
        ["--examples", "3"],
        ["--epochs", "0"],
        ["--batch", "0"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "2"],
        ["--method", "prefix"],
        ["--base", "models/gone"],
        ["--base", "minilm-uncased-43"],
        ["--name", "../x"],
    ],
)
def test_a_training_that_cannot_be_run_is_one_line_and_starts_nothing(
    arguments: list[str], folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders)
    assert main(["train", *arguments]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("wobble: ")
    assert found.err.count("\n") == 1
    assert not (folders / "runs").exists()


def test_an_operator_can_switch_training_off(
    folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_RUNS_DIR", "")
    assert main(["train"]) == 2
    assert "Training is switched off here" in capsys.readouterr().err
