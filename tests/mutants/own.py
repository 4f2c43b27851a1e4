"""Which tests are a module's own."""

from pathlib import Path

PREDICTING = ("tests/core/models/test_architectures.py",)
STUDIED = ("tests/core/studies/test_profile.py", "tests/core/studies/test_compare.py")

MORE = {
    "core/*/*.py": ("tests/core/test_contracts.py",),
    "core/*/*/*.py": ("tests/core/test_contracts.py",),
    "core/factors/ask.py": STUDIED,
    "core/factors/case.py": ("tests/core/studies/test_rows.py", *STUDIED),
    "core/factors/conditions.py": ("tests/core/factors/test_numerics.py",),
    "core/factors/dropout.py": ("tests/core/factors/test_passes.py", *STUDIED[:1]),
    "core/factors/formatting.py": ("tests/core/factors/test_registry.py", *STUDIED),
    "core/factors/numerics.py": ("tests/core/studies/test_rows.py",),
    "core/factors/registry.py": ("tests/core/views/test_toy_factor.py",),
    "core/factors/seeds.py": ("tests/core/studies/test_rows.py", *STUDIED[:1]),
    "core/factors/segmentation.py": STUDIED[:1],
    "core/models/predict.py": PREDICTING,
    "core/studies/temperatures.py": ("tests/core/factors/test_temperature.py",),
    "core/studies/verdict.py": ("tests/core/studies/test_finding.py", "tests/core/studies/test_rows.py"),
    "core/studies/study.py": ("tests/core/studies/test_rows.py", *STUDIED),
    "core/text/perturb/registry.py": ("tests/core/text/perturb/test_merging.py",),
    "core/text/segmentation/*": ("tests/core/text/test_segmentation.py",),
}
"""Beside the file that mirrors the module's path (core/x/y.py and tests/core/x/test_y.py)."""


def tests_of(file: str, root: Path) -> tuple[str, ...]:
    """A module's own tests: the file that mirrors its path, if there is one, and those that are named above."""
    path = Path(file)
    mirrored = f"tests/{path.parent.as_posix()}/test_{path.name}"
    named = [test for pattern, more in MORE.items() if path.match(pattern) for test in more]
    return tuple(dict.fromkeys(test for test in (mirrored, *named) if (root / test).is_file()))
