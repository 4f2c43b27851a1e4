"""Labelled texts: wherever they come from, clean rows in fixed splits, or one sentence that says why not."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.data import labelled
from core.data.files import read_table
from core.data.labelled import DataSource, Labelled, from_parquet, read, to_parquet


def frame(n: int = 40, labels: tuple[str, ...] = ("bad", "good")) -> pd.DataFrame:
    return pd.DataFrame(
        {"text": [f"Film {i}." for i in range(n)], "label": [labels[i % len(labels)] for i in range(n)]}
    )


def written(table: pd.DataFrame, kind: str) -> bytes:
    if kind == "csv":
        return table.to_csv(index=False).encode()
    if kind == "jsonl":
        return table.to_json(orient="records", lines=True).encode()
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


def as_csv(table: pd.DataFrame, **columns: str) -> Labelled:
    return read(DataSource("mine.csv", **columns), written(table, "csv"))


def refused(content: bytes, name: str = "mine.csv", **columns: str) -> str:
    with pytest.raises(WobbleError) as caught:
        read(DataSource(name, **columns), content)
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")
    return said


# --- where they come from --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "split"), [("movie", "train"), ("tweet", "validation"), ("all", "test")])
def test_embedded_data_have_names_splits_and_ratings(name: str, split: labelled.Split) -> None:
    data = read(DataSource(name))
    assert data.names == ("negative", "positive")
    part = data.part(split)
    assert set(part.labels.tolist()) == {0, 1}
    assert part.rating_std is not None and len(part.rating_std) == len(part.texts) > 100


@pytest.mark.parametrize("kind", labelled.FORMATS)
def test_each_format_gives_the_same_data_from_chosen_columns(kind: str) -> None:
    table = frame().rename(columns={"text": "Was gesagt wird", "label": "stance"})
    table["other"] = "x"
    data = read(DataSource(f"mine.{kind}", "Was gesagt wird", "stance"), written(table, kind))
    assert data.texts == tuple(table["Was gesagt wird"])
    assert [data.names[i] for i in data.labels] == list(table["stance"])
    assert data.fingerprint == as_csv(frame()).fingerprint


def test_a_path_is_read_for_the_owner_of_the_machine_and_for_no_visitor(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(written(frame(), "csv"))
    assert len(read(DataSource(str(file)), files=True).texts) == 40
    for there in (file, tmp_path / "gone.csv"):
        with pytest.raises(WobbleError, match="names a file, not a data set of the hub"):
            read(DataSource(str(there)))
    for name in (str(tmp_path / "gone.csv"), "nul\0.csv", "\ud800.csv"):
        with pytest.raises(WobbleError, match="cannot be read"):
            read(DataSource(name), files=True)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(WobbleError, match=r"not a CSV, JSONL or Parquet file"):
        read(DataSource(str(tmp_path / "notes.txt")), files=True)


# --- what is left out ------------------------------------------------------------------------------------------------


def test_empty_unlabelled_repeated_and_broken_rows_are_left_out_and_counted() -> None:
    rows = [{"text": f"Film {i}.", "label": i % 2} for i in range(20)]
    rows += [{"text": "", "label": 1}, {"text": " \n", "label": 1}, {"label": 1}, {"text": None, "label": 1}]
    rows += [{"text": "no label", "label": None}, {"text": "none either", "label": "  "}, {"text": "nor here"}]
    rows += [{"text": "Film 0.", "label": 0}, {"text": "\ud800 broken", "label": 1}]
    data = read(DataSource("mine.jsonl"), "\n".join(map(json.dumps, rows)).encode())
    assert len(data.texts) == 20
    assert data.notes == (
        "4 rows without a text were left out.",
        "3 rows without a label were left out.",
        "1 row with broken characters was left out.",
        "1 row like another one was left out.",
    )


def test_texts_with_two_labels_are_kept_and_said() -> None:
    table = pd.concat(
        [frame(20), pd.DataFrame({"text": ["Film 0.", "Film 0.", "Film 1."], "label": ["good", "so", "bad"]})]
    )
    data = as_csv(table)
    assert len(data.texts) == 23
    assert data.notes == ("2 texts have more than one label.",)


def test_texts_stay_as_they_are() -> None:
    texts = [
        " leading",
        "trailing\t",
        "two\nlines",
        "NA",
        "null",
        "caf\u00e9 \u200b\U0001f600",
        '"quoted"',
        "<b>",
        "1.0",
    ]
    table = pd.DataFrame({"text": texts * 2, "label": ["a"] * 9 + ["b"] * 9})
    for kind in labelled.FORMATS:
        assert read(DataSource(f"mine.{kind}"), written(table, kind)).texts == tuple(texts * 2)


def test_a_number_is_one_label_however_it_is_written() -> None:
    for column in (
        [0.0, 1.0, None, 1.0, 0.0],
        [0, 1, None, 1, 0],
        ["0", "1", "", "1.0", "0.00"],
        [False, True, None] * 1,
    ):
        table = pd.DataFrame(
            {"text": [f"Film {i}." for i in range(len(column))], "label": pd.Series(column, dtype=object)}
        )
        kind = "csv" if isinstance(column[0], str) else "jsonl"
        names = read(DataSource(f"mine.{kind}"), written(table, kind)).names
        assert names == (("False", "True") if isinstance(column[0], bool) else ("0", "1"))


def test_a_column_of_whole_numbers_with_gaps_has_whole_labels() -> None:
    table = pd.DataFrame({"text": [f"Film {i}." for i in range(9)], "label": pd.array([0, 1, None] * 3, dtype="Int64")})
    data = read(DataSource("mine.parquet"), written(table, "parquet"))
    assert (data.names, len(data.texts)) == (("0", "1"), 6)


def test_numbers_are_ordered_as_numbers_and_before_words() -> None:
    labels = ("10", "-1", "9", "\u00b2", "b", "1" * 5000)
    assert as_csv(frame(60, labels)).names == ("-1", "9", "10", "1" * 5000, "b", "\u00b2")


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"text,label\nx,a\ny,a\n", "mine.csv", "one label only, 'a'"),
        (b"text,label\n,a\n,b\n", "mine.csv", "no label"),
        (b"text,stance\nx,a\ny,b\n", "mine.csv", "no column named label or labels: name the column of the labels"),
        (b"a,b\nx,a\ny,b\n", "mine.csv", "no column named text or sentence"),
        (b"text,label\na, b,0\nc, d,1\n", "mine.csv", "more fields than its header"),
        (b"text,label\na,0\nc, d,1\n", "mine.csv", "not a readable CSV"),
        (b"text,label\n", "mine.csv", "holds no rows"),
        (b"", "mine.csv", "not a readable CSV"),
        (b"\xff\xfe\x00", "mine.csv", "not a readable CSV"),
        (b"text,label\ncaf\xe9,0\n", "mine.csv", "in UTF-8"),
        (b"not json", "mine.jsonl", "not a readable JSONL"),
        (b"{}", "mine.jsonl", "holds no rows"),
        (b"PAR1", "mine.parquet", "not a readable PARQUET"),
        (b"x", "mine.xlsx", "must end in .csv, .jsonl or .parquet"),
        (b"x", "mine", "must end in .csv, .jsonl or .parquet"),
        (b'{"text": "x", "label": [0, 1]}\n{"text": "y", "label": [1]}', "mine.jsonl", "holds lists"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(content: bytes, name: str, said: str) -> None:
    assert said in refused(content, name)


def test_columns_that_are_not_there_or_one_and_the_same() -> None:
    content = written(frame(), "csv")
    assert "no column named 'words': their columns are text, label" in refused(content, text_column="words")
    assert "no column named 'class'" in refused(content, label_column="class")
    assert "cannot be the same column" in refused(content, text_column="text", label_column="text")


def test_a_column_of_texts_is_no_column_of_labels_and_many_labels_are() -> None:
    for n in (8, 500):
        table = frame(n)
        table["title"] = [f"A title of its own, {i}" for i in range(n)]
        assert "that is not a column of labels" in refused(written(table, "csv"), label_column="title")
    assert len(as_csv(frame(450, tuple(f"intent {i}" for i in range(150)))).names) == 150


# --- fingerprints, splits, and keeping -------------------------------------------------------------------------------


def test_equal_data_have_equal_fingerprints_and_any_change_another() -> None:
    table = frame()
    mine = as_csv(table).fingerprint
    assert as_csv(table).fingerprint == mine
    changes: list[Callable[[pd.DataFrame], Any]] = [
        lambda t: t.assign(text=[*t["text"][:-1], "Film 39!"]),
        lambda t: t.assign(label=[*t["label"][:-1], "bad"]),
        lambda t: t[:-1],
        lambda t: t[::-1],
        lambda t: t.assign(label=t["label"] + "!"),
        lambda t: t.assign(split=["train"] * 30 + ["validation"] * 10),
    ]
    found = {as_csv(change(table)).fingerprint for change in changes}
    assert len(found) == len(changes) and mine not in found


def made(texts: list[str], split: str = "train") -> Labelled:
    return Labelled(tuple(texts), np.zeros(len(texts), np.int64), ("a", "b"), np.array([split] * len(texts), dtype=str))


@given(
    st.lists(st.text(st.characters(), max_size=4), max_size=3),
    st.lists(st.text(st.characters(), max_size=4), max_size=3),
)
def test_no_two_lists_of_texts_share_a_fingerprint(one: list[str], other: list[str]) -> None:
    assert (made(one).fingerprint == made(other).fingerprint) == (one == other)


def test_a_text_cannot_pass_for_the_end_of_another() -> None:
    assert made(["a\x010\x00train\x00b"]).fingerprint != made(["a", "b"]).fingerprint


def test_held_out_texts_stay_the_same_when_rows_move_or_come_and_never_straddle() -> None:
    table = pd.concat([frame(100), frame(100).assign(label="third")])
    data = as_csv(table)
    assert not data.own_split
    where = dict(zip(data.texts, data.split.tolist(), strict=True))
    assert [where[text] for text in data.texts] == data.split.tolist()
    assert sum(split == "validation" for split in where.values()) == 20
    moved = as_csv(table.sample(frac=1, random_state=0))
    assert dict(zip(moved.texts, moved.split.tolist(), strict=True)) == where
    more = as_csv(pd.concat([table, frame(102)[100:]]))
    stayed = [text for text, split in zip(more.texts, more.split, strict=True) if where.get(text) == split]
    assert len(stayed) >= len(data.texts) - 2


def test_splits_of_ones_own_are_kept_and_a_text_stays_where_it_came_first() -> None:
    table = frame(30).assign(split=["train"] * 10 + ["validation"] * 10 + ["test"] * 10)
    again = pd.DataFrame({"text": ["Film 0.", "Film 1."], "label": ["bad", "bad"], "split": ["test", "test"]})
    data = as_csv(pd.concat([table, again]))
    assert data.own_split
    assert {split: len(data.part(split).texts) for split in labelled.SPLITS} == {
        "train": 11,
        "validation": 10,
        "test": 10,
    }
    for text in data.texts:
        assert len({split for other, split in zip(data.texts, data.split, strict=True) if other == text}) == 1


def test_without_a_validation_split_some_training_texts_are_held_out_and_the_test_split_stays() -> None:
    data = as_csv(frame(30).assign(split=["train"] * 20 + ["test"] * 10))
    assert not data.own_split
    assert [len(data.part(split).texts) for split in labelled.SPLITS] == [16, 4, 10]


def test_a_column_of_other_splits_is_not_used_and_said() -> None:
    data = as_csv(frame(20).assign(split="fold 1"))
    assert data.notes == ("The column 'split' was not used: it holds other values than train, validation, test.",)


def test_what_is_kept_beside_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    for data in (as_csv(frame(30, ("\u00e4", "0", "c"))), read(DataSource("movie")).rows(np.arange(50))):
        to_parquet(data, tmp_path / "data.parquet")
        back = from_parquet(tmp_path / "data.parquet")
        assert (back.fingerprint, back.names, back.own_split) == (data.fingerprint, data.names, data.own_split)
        assert (back.rating_std is None) == (data.rating_std is None)
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    with pytest.raises(WobbleError, match=r"data\.parquet cannot be read"):
        from_parquet(tmp_path / "data.parquet")


def test_labels_are_numbered_as_a_model_numbers_them() -> None:
    data = as_csv(frame(6))
    assert data.numbered_as(("good", "bad", "ugly")).tolist() == [1, 0] * 3
    assert as_csv(frame(6, ("0", "1"))).numbered_as(("no", "yes")).tolist() == [0, 1] * 3
    with pytest.raises(WobbleError, match="hold the label 'bad', which the model does not have"):
        data.numbered_as(("negative", "positive"))


# --- the hub ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str | None], DatasetDict]:
    """A hub that answers with what is put into it."""
    shelf: dict[tuple[str, str | None], DatasetDict] = {}
    monkeypatch.setattr("core.data.labelled.hub_answers", lambda: True)
    monkeypatch.setattr("datasets.load_dataset", lambda id, configuration=None: shelf[id, configuration])
    return shelf


def part(labels: list[int | None], start: int = 0) -> Dataset:
    features = Features({"sentence": Value("string"), "label": ClassLabel(names=["negative", "positive"])})
    rows = {"sentence": [f"Film {start + i}." for i in range(len(labels))], "label": labels}
    return Dataset.from_dict(rows, features=features)


def test_a_data_set_of_the_hub_has_its_own_names_and_splits(hub: dict[Any, DatasetDict]) -> None:
    hub["nyu-mll/glue", "sst2"] = DatasetDict(
        train=part([0, 1] * 10), validation=part([1, 0, -1, None, 1], 100), test=part([-1] * 5, 200)
    )
    data = read(DataSource("glue/sst2"))
    assert data.names == ("negative", "positive")
    assert data.own_split
    assert [len(data.part(split).texts) for split in labelled.SPLITS] == [20, 3, 0]
    assert data.part("validation").labels.tolist() == [1, 0, 1]
    assert data.notes == ("2 rows without a label were left out.",)


def test_the_rows_of_a_large_data_set_are_bounded_and_that_is_said(
    hub: dict[Any, DatasetDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled, "MOST_ROWS", 12)
    hub["someone/films", None] = DatasetDict(train=part([0, 1] * 10), test=part([0, 1] * 3, 100))
    data = read(DataSource("someone/films"))
    assert [len(data.part(split).texts) for split in labelled.SPLITS] == [12, 6, 0]
    assert data.notes == ("The first 12 of 20 training rows were read.",)
    hub["someone/films", "odd"] = DatasetDict(test=part([0, 1]))
    for name, said in (
        ("someone/films/odd", "no split named train"),
        ("someone/gone", "cannot be loaded from the hub"),
    ):
        with pytest.raises(WobbleError, match=said):
            read(DataSource(name))


@pytest.mark.parametrize("name", ["", "/", "../secret", "a/../b", "a b", "a/b/c/d", "<script>", "\0", "x" * 5000])
def test_nonsense_names_no_data(name: str) -> None:
    with pytest.raises(WobbleError, match="names no data") as caught:
        read(DataSource(name))
    assert len(str(caught.value)) < 250


def test_a_folder_of_this_machine_is_no_data_set_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret.csv").write_bytes(written(frame(), "csv"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WobbleError, match="is a folder here"):
        read(DataSource("private"))


def test_a_hub_that_cannot_be_reached_is_one_sentence_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    before = datasets.config.HF_HUB_OFFLINE
    begin = time.monotonic()
    with pytest.raises(WobbleError, match="hub cannot be reached, and the data set glue/sst2 is not on this machine"):
        read(DataSource("glue/sst2"))
    assert time.monotonic() - begin < 6
    assert before == datasets.config.HF_HUB_OFFLINE


def test_a_table_says_its_columns_before_any_is_chosen() -> None:
    assert list(read_table(b"a,1\nx,y\n", "MINE.CSV").columns) == ["a", "1"]
