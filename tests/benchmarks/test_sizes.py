"""What `python -m benchmarks.sizes` counts."""

from pathlib import Path

from benchmarks.sizes import circles, sizes


def write(root: Path, **files: str) -> Path:
    """A checkout of a few modules of `core`."""
    (root / "core").mkdir()
    for name, text in {"__init__": "", **files}.items():
        (root / "core" / f"{name}.py").write_text(text)
    return root


def test_what_imports_itself_by_way_of_others_is_one_circle_even_where_an_import_is_lazy(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        a="from core import b\n",
        b="from core.c import x\n",
        c="x = 1\ndef lazy():\n    from core import a\n",
        d="from core import a\n",
    )
    assert circles(root) == [["core.a", "core.b", "core.c"]]


def test_the_modules_measured_are_those_of_the_folder_and_not_of_this_checkout(tmp_path: Path) -> None:
    assert circles(write(tmp_path, a="x = 1\n")) == []


def test_statements_templates_and_what_is_too_long_are_counted(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        fits="def f():\n" + "    x = 1\n" * 59,
        long="def f():\n" + "    x = 1\n" * 60 + "y = 1\n" * 339,
        longer="x = 1\n" * 401,
    )
    (root / "core" / "page.j2").write_text("<p>\n\n</p>\n")
    found = sizes(root)
    assert found["statements"] == 60 + 61 + 339 + 401
    assert found["template_lines"] == 3
    assert found["statements_and_template_lines"] == found["statements"] + 3
    assert found["functions_over_60_lines"] == {"core/long.py:f": 61}
    assert found["modules_over_400_lines"] == {"core/longer.py": 401}
