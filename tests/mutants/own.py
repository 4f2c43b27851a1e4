"""Which tests are a module's own."""

import re
from pathlib import Path

STUDIED = ("tests/core/studies/test_study.py", "tests/core/studies/test_study_of_edits.py")

MORE = {
    "core/*/*.py": ("tests/core/test_contracts.py",),
    "core/*/*/*.py": ("tests/core/test_contracts.py",),
    "core/factors/ask.py": STUDIED,
    "core/factors/case.py": ("tests/core/studies/test_study_rows.py", *STUDIED),
    "core/factors/conditions.py": ("tests/core/factors/test_numerics.py",),
    "core/factors/dropout.py": STUDIED[:1],
    "core/factors/formatting.py": ("tests/core/factors/test_registry.py", *STUDIED),
    "core/factors/numerics.py": ("tests/core/studies/test_study_rows.py",),
    "core/factors/registry.py": ("tests/core/views/test_toy_factor.py",),
    "core/factors/seeds.py": ("tests/core/studies/test_study_rows.py", *STUDIED[:1]),
    "core/factors/segmentation.py": STUDIED[:1],
    "core/models/passes.py": ("tests/core/factors/test_dropout.py", *STUDIED[:1]),
    "core/models/predict.py": ("tests/core/models/test_architectures.py",),
    "core/studies/temperatures.py": ("tests/core/factors/test_temperature.py",),
    "core/studies/verdict.py": ("tests/core/studies/test_study_rows.py",),
    "core/text/perturb/registry.py": ("tests/core/text/perturb/test_merging.py",),
    "core/text/segmentation/*": ("tests/core/text/test_segmentation.py",),
}
"""Beside the files that mirror the module's path (core/x/y.py, tests/core/x/test_y.py and tests/core/x/test_y_*.py)."""


def tests_of(file: str, root: Path) -> tuple[str, ...]:
    """A module's own tests: the files that mirror its path, and those that are named above."""
    path = Path(file)
    mirrored = (root / "tests" / path.parent).glob(f"test_{path.stem}*.py")
    own = [test for test in sorted(mirrored) if re.fullmatch(f"test_{path.stem}(_.*)?", test.stem)]
    named = [test for pattern, more in MORE.items() if path.match(pattern) for test in more]
    return tuple(dict.fromkeys([*(test.relative_to(root).as_posix() for test in own), *named]))
