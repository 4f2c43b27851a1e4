"""The pieces of a text: its characters boxed by token and linked with the tokens, its counts, and what changes its split."""

from collections.abc import Sequence
from html import escape

from core.text.resplit import LONGEST, MOST, Resplit
from core.text.stages import Stages, counts
from core.text.visible import visible
from core.views.tables_tokens import cuts
from pages import state

SHOWN = 2000
"""Characters of a text that are drawn; downloads hold all of it."""
HOTTEST = 4
"""From this many tokens on, characters look the same."""

_lit = state.component("pieces")


def link() -> None:
    """Put in what lights up the pieces that belong together; it shows nothing."""
    _lit(key="pieces")


def cut_html(found: Stages, name: str = "") -> str:
    """The raw text with each token's characters boxed: the same characters stand below each other for every model.

    Args:
        name: tells the text's pieces from those of others on the page, where they are linked with its tokens.
    """
    encoding, shown, number = found.encoding, [], 0
    for place, cut in enumerate(cuts(found, SHOWN)):
        number += bool(cut.positions)
        said = "  ".join(f"{visible(encoding.tokens[i])} {encoding.ids[i]}" for i in cut.positions)
        kind = "gap" if not cut.positions else "odd" if number % 2 else "even"
        piece = f" data-piece='{name}.{place}'" if name and cut.positions else ""
        shown.append(
            f"<span class='{kind}'{piece} title='{escape(said or 'read by no token')}'>{escape(visible(cut.text))}</span>"
        )
    return f"<div class='w-cut'>{''.join(shown)}</div>"


def linked(found: Stages, name: str) -> list[str]:
    """The name of each token's piece, as `cut_html` gives them to its characters; one of its own where it has none there."""
    places = {position: place for place, cut in enumerate(cuts(found, SHOWN)) for position in cut.positions}
    return [f"{name}.{places.get(i, f't{i}')}" for i in range(len(found.encoding.ids))]


def counts_html(model: str, found: Stages) -> str:
    """Characters, bytes and tokens of a text under one model, as a line."""
    count = counts(found)
    special = f", {count.special} of them special" if count.special else ""
    rate = count.characters_a_token
    each = "" if rate is None else f", {rate:.1f} characters a token"
    return (
        f"<p class='w-line w-faint' title='Special tokens stand for no character and are not in the rate.'><b>{escape(model)}</b>: "
        f"{count.characters:,} characters, {count.utf8:,} bytes in UTF-8, {count.tokens:,} tokens{special}{each}</p>"
    )


def resplit_html(found: Sequence[Resplit]) -> str:
    """A text with, below each character, how many tokens each of some changes of it touches; the findings below that."""
    tried = zip(*(one.changes for one in found), strict=True)
    heads = "".join(f"<i>{escape(one.way)}</i>" for one in found)
    cells = "".join(
        f"<span><b>{escape(visible(character))}</b>"
        + "".join(
            "<i>\u00a0</i>" if one is None else f"<i class='h{min(one.tokens, HOTTEST)}'>{one.tokens}</i>"
            for one in each
        )
        + "</span>"
        for character, each in zip(found[0].text, tried, strict=False)
    )
    said = "".join(f"<p class='w-line'>{escape(one.said)}</p>" for one in found)
    return f"<div class='w-heat'><span class='head'><b>\u00a0</b>{heads}</span>{cells}</div>{said}"


def untried(text: str) -> str:
    """What of a text was not tried, in a sentence; empty where all of it was."""
    if len(text) > LONGEST:
        return (
            f"The text has more than {LONGEST:,} characters: each change would cut all of it again, so none is tried."
        )
    return f"The first {MOST} of {len(text):,} characters are tried." if len(text) > MOST else ""
