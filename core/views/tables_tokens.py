"""Texts cut into tokens, and what changes the cut, as frames and stretches: plain values, ready for a page or a download."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.text.resplit import Resplit
from core.text.stages import Stages


@dataclass(frozen=True)
class Cut:
    """A stretch of a raw text and the positions of the tokens that stand for it; none where the tokenizer drops it."""

    text: str
    positions: tuple[int, ...]


def cuts(stages: Stages, longest: int) -> list[Cut]:
    """The raw text (its first `longest` characters) cut where its tokens are.

    Tokens that share characters (bytes of one character) share a stretch. White space that a tokenizer drops, and what
    was truncated, belongs to no token. A tokenizer without offsets cannot be shown: the text is one stretch.
    """
    encoding, text = stages.encoding, stages.raw[:longest]
    parts: list[Cut] = []
    at = 0
    for position, span in enumerate(encoding.offsets or ()):
        begin, end = min(span[0], len(text)), min(span[1], len(text))
        if begin >= end:
            continue
        if begin < at and parts:
            parts[-1] = Cut(parts[-1].text + text[at : max(at, end)], (*parts[-1].positions, position))
        else:
            dropped = [Cut(text[at:begin], ())] if begin > at else []
            parts += [*dropped, Cut(text[begin:end], (position,))]
        at = max(at, end)
    if at < len(text):
        parts.append(Cut(text[at:], ()))
    return parts


def tokens_frame(model: str, stages: Stages) -> pd.DataFrame:
    """One row per token; `start` and `end` count characters of the raw text."""
    encoding = stages.encoding
    spans = encoding.offsets or [(None, None)] * len(encoding.ids)
    return pd.DataFrame(
        {
            "model": model,
            "text": stages.raw,
            "position": range(len(encoding.ids)),
            "token": encoding.tokens,
            "id": encoding.ids,
            "start": [begin for begin, _ in spans],
            "end": [end for _, end in spans],
            "special": encoding.special,
        }
    )


def resplit_frame(model: str, found: Sequence[Resplit]) -> pd.DataFrame:
    """One row per character that was changed; `position` counts characters of the text from 0, `tokens` is how many are touched."""
    return pd.DataFrame(
        {
            "model": model,
            "position": one.position,
            "character": each.text[one.position],
            "changed": each.way,
            "tokens": one.tokens,
            "before": list(one.before),
            "after": list(one.after),
        }
        for each in found
        for one in each.changes
        if one is not None
    )
