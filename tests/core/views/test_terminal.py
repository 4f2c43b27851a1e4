"""What a person reads at a terminal has columns and colour; a pipe gets plain lines and no bar."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from core import cli
from core.base.cache import forget
from core.models import catalog
from core.views import terminal

TABLE = (("shift", "label", ""), [("0.1", "[bold]negative", "FLIPS"), ("0.02", "positive", "")])


def console(in_terminal: bool, **options: Any) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=in_terminal, force_interactive=in_terminal, width=80, color_system="standard",
        highlight=False, **options,
    )  # fmt: skip


def written(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def test_a_terminal_gets_a_table_whose_flips_stand_out_and_no_markup_is_read() -> None:
    shown = console(True)
    terminal.show(["A line with [red]brackets[/red].", TABLE], shown)
    said = written(shown)
    assert "A line with [red]brackets[/red].\n" in said
    assert "\x1b[1;31mFLIPS" in said and "[bold]negative" in said
    assert said.count("\x1b[1;31m") == 1
    assert "\x1b[1mlabel" in said


def test_a_pipe_gets_aligned_plain_text() -> None:
    shown = console(False)
    terminal.show(["A line.", TABLE, (("", ""), [("a", "b")])], shown)
    assert written(shown).splitlines() == [
        "A line.",
        "shift  label",
        "0.1    [bold]negative  FLIPS",
        "0.02   positive",
        "a  b",
    ]


def test_progress_is_a_bar_in_a_terminal_and_nothing_in_a_pipe() -> None:
    shown, piped = console(True), console(False)
    with terminal.progress(console=shown) as told:
        assert told is not None
        told(3, 7)
    assert "3/7" in written(shown)
    with terminal.progress(console=piped) as told:
        assert told is None
    assert written(piped) == ""


@pytest.mark.parametrize(
    ("command", "last"),
    [
        (["predict", "a b", "c d"], "2/2"),
        (["profile", "a b", "--passes", "3"], "3/3"),
        (["dropout", "a b", "--passes", "3", "--seed", "11"], "3/3"),
        (["numerics", "a c"], r"([1-9]\d*)/\1"),
        (["shortest", "a b", "--budget", "20"], "/20"),
        (["seeds", "a b"], "1/1"),
    ],
)
def test_a_command_that_takes_long_shows_how_far_it_is(
    command: list[str], last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = console(True)
    monkeypatch.setattr(terminal, "Console", lambda stderr=False, **_: shown if stderr else console(False))
    assert cli.main([*command, "--json"]) == 0
    assert written(shown) == ""
    forget(catalog.load())  # as in a process of its own
    assert cli.main(command) == 0
    assert re.search(last, written(shown))
