"""What the operator sets: every `WOBBLE_*` variable of the environment, with its meaning and its default."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.base.errors import WobbleError

PREFIX = "WOBBLE_"


def _folders(value: object) -> object:
    """Folders from one line, separated as in PATH; nothing stands between two separators in a row."""
    return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


def _or_none(value: object) -> object:
    """An empty value is not the same as none: pydantic would read "" as the current folder."""
    return None if value == "" else value


class Settings(BaseSettings):
    """The operator's choices. Relative folders are below the folder that Wobble was started in, and come resolved."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, validate_default=True)

    model_dirs: Annotated[
        tuple[Path, ...],
        NoDecode,
        BeforeValidator(_folders),
        AfterValidator(lambda folders: tuple(folder.resolve() for folder in folders)),
    ] = Field(
        default=(Path("models"),),
        description="folders that models may be loaded from, separated as in `PATH`",
    )
    runs_dir: Annotated[
        Path | None, BeforeValidator(_or_none), AfterValidator(lambda folder: folder and folder.resolve())
    ] = Field(
        default=Path("runs"),
        description="folder of trainings, whose models are listed too; set to nothing, it switches training off",
    )
    max_models: Annotated[int, AfterValidator(lambda count: max(1, count))] = Field(
        default=4,
        description="models kept in memory, at least 1",
    )
    device: Annotated[str | None, BeforeValidator(_or_none)] = Field(
        default=None,
        description="torch device: `cpu`, `cuda:1`, `mps` …; without it CUDA, then MPS, then the CPU",
    )


def settings() -> Settings:
    """What the environment says now: it may change while the process lives.

    Raises:
        WobbleError: a variable has an unusable value; the sentence names the first such variable.
    """
    return _read(
        tuple((name, value) for name, value in os.environ.items() if name.upper().startswith(PREFIX)), os.getcwd()
    )


@lru_cache(maxsize=1)
def _read(*_: object) -> Settings:
    """The settings, validated once for each state of the variables and the current folder: half a millisecond."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        said = wrong["msg"][:1].lower() + wrong["msg"][1:]
        raise WobbleError(f"{PREFIX}{str(wrong['loc'][0]).upper()} is {wrong['input']!r}: {said}.") from error
