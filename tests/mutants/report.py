"""The result of a mutation run, in the terminal and in docs/TESTING.md."""

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.forks import ROOT, Outcome
from tests.mutants.mutations import Key, Mutant

PAGE = ROOT / "docs" / "TESTING.md"
EQUIVALENT = Path(__file__).parent / "equivalent.toml"
BEGIN, END = "<!-- make mutants WRITE=1 writes what follows -->\n", "<!-- to here -->"


@dataclass(frozen=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome | None
    """None for one that is proven equivalent, which is not run."""

    @property
    def killed(self) -> bool:
        """Whether a test failed, or the tests did not end."""
        return self.outcome is not None and self.outcome.code != 0

    @property
    def survived(self) -> bool:
        """Whether all tests passed."""
        return self.outcome is not None and self.outcome.code == 0


def equivalent() -> dict[Key, str]:
    """The mutants that are proven equivalent, and why."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {Key(one["file"], one["line"], one["operator"], one["occurrence"]): one["reason"] for one in listed}


def score(tried: Sequence[Tried]) -> str:
    """Killed of those that are not proven equivalent, with Wilson's interval."""
    from core.base.statistics import wilson  # a mutated module: nothing of it may be imported before the runs

    killed, counted = sum(one.killed for one in tried), sum(one.outcome is not None for one in tried)
    if not counted:
        return "No mutant was run."
    low, high = wilson(killed, counted)
    late = sum(one.killed and one.outcome is not None and one.outcome.code is None for one in tried)
    return (
        f"{killed} of {counted} mutants killed: {killed / counted:.1%}, 95% interval {low:.1%} to {high:.1%} "
        f"({len(tried)} sampled, {len(tried) - counted} proven equivalent, {late} killed by the time limit)"
    )


def write(tried: Sequence[Tried], command: str, minutes: float) -> None:
    """Put the score, a table of modules and the survivors into docs/TESTING.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    date = datetime.date.today().isoformat()
    lines = [f"`{command}` on {date}, {minutes:.0f} minutes: **{score(tried)}.**", ""]
    lines += ["| Module | Sampled | Equivalent | Killed | Survived |", "| --- | --: | --: | --: | --: |"]
    for file in sorted({one.mutant.key.file for one in tried}):
        of = [one for one in tried if one.mutant.key.file == file]
        same, killed = sum(one.outcome is None for one in of), sum(one.killed for one in of)
        lines.append(f"| `{file}` | {len(of)} | {same} | {killed} | {len(of) - same - killed} |")
    survivors = [one.mutant.diff for one in tried if one.survived]
    lines += ["", "Survivors:" if survivors else "No survivor.", ""]
    lines += ["```diff\n" + "\n\n".join(survivors) + "\n```\n"] if survivors else []
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")
