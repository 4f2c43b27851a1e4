"""Whoever reads a file while it is written sees the old one or the new one, as a whole."""

import json
from pathlib import Path

import pytest

from core.jobs.process import read_json, read_json_lines, write_json


def test_who_reads_while_a_file_is_replaced_still_reads_the_old_one_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_json(file, {"state": "queued", "message": "long " * 1000})
    with file.open(encoding="utf-8") as reader:
        write_json(file, {"state": "running"})
        # Written in place, this would be the new content, or none.
        assert json.loads(reader.read())["state"] == "queued"
    assert read_json(file) == {"state": "running"}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_that_cannot_be_written_stays_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.json"
    write_json(file, {"state": "queued"})

    def full(self: Path, text: str, **_: object) -> None:
        with self.open("w") as stream:
            stream.write(text[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(file, {"state": "running"})
    assert read_json(file) == {"state": "queued"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"5", b"\xff"])
def test_what_is_no_object_reads_as_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert read_json(tmp_path / "x.json") == read_json(tmp_path / "gone.json") == {}


def test_lines_that_are_half_written_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st', encoding="utf-8")
    assert read_json_lines(tmp_path / "x.jsonl") == [{"step": 1}, {"step": 2}]
    (tmp_path / "x.jsonl").write_bytes(b"{\n\xff")
    assert read_json_lines(tmp_path / "x.jsonl") == read_json_lines(tmp_path / "gone.jsonl") == []
