"""Small pieces of HTML: chips of tokens, bars, tables, lines. Text reaches the page through `escape` alone."""

from collections.abc import Iterable, Sequence
from html import escape

from core.factors.case import BEYOND, LEAST_STEPS, Fate
from core.models.heads import Head, Probabilities
from core.text.perturb import Variant
from core.text.tokens import Encoding
from core.text.visible import visible
from core.views.documents import unique
from core.views.html import breakable
from core.views.style import label_colors
from core.views.tables import marked_text


def escape_markdown(text: str) -> str:
    """Text for elements that read Markdown, LaTeX, icons and colours, escaped so that it is shown as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]()<>#+-.!|$:~^=" else character for character in text)


def tokens_html(encoding: Encoding, marked: Iterable[int] = (), limit: int = 400, pieces: Sequence[str] = ()) -> str:
    """Token chips with their ids; those at the marked positions stand out.

    Args:
        pieces: the name of each token's piece of the text, where they are linked with its characters (`pages.parts.pieces`).
    """
    stand_out = set(marked)
    link = [f" role='option' tabindex='{-1 if i else 0}' data-piece='{piece}'" for i, piece in enumerate(pieces)]
    chips = [
        f"<span class='w-token{' special' if special else ''}{' changed' if i in stand_out else ''}'{link[i] if link else ''}>"
        f"{escape(visible(token))}<small>{id}</small></span>"
        for i, (token, id, special) in enumerate(zip(encoding.tokens, encoding.ids, encoding.special, strict=True))
    ]
    rest = f"<span class='w-faint'>… {len(chips) - limit} more</span>" if len(chips) > limit else ""
    listed = " role='listbox' aria-label='Tokens; the arrow keys go from one to the next'" if link else ""
    return f"<div class='w-tokens'{listed}>{''.join(chips[:limit])}</div>{rest}"


def bars_html(
    labels: tuple[str, ...], row: Probabilities, head: Head, top: int = 4, by: Probabilities | None = None
) -> str:
    """Probabilities as bars, the largest first; further labels are counted.

    Args:
        by: what orders them instead, so that bars of two predictions stand in one order.
    """
    names, colors = unique(labels), label_colors(labels)
    order = row if by is None else by
    ranked = sorted(range(len(labels)), key=lambda i: -order[i])
    lines = [
        bar_html(names[i], row[i] if head.has_labels else 0.0, colors[labels[i]], f"{row[i]:.3f}") for i in ranked[:top]
    ]
    if others := ranked[top:]:
        rest = f"{sum(row[i] for i in others):.3f}" if head.exclusive else ""
        lines.append(
            f"<span class='name w-faint'>{len(others)} other labels</span><span></span><span class='p'>{rest}</span>"
        )
    return f"<div class='w-bars' title='{escape(head.meaning)}'>{''.join(lines)}</div>"


def bar_html(name: str, share: float, color: str, said: str) -> str:
    """One bar of several: its name, how much of the track it fills (from 0 to 1), and its number in words."""
    return (
        f"<span class='name' title='{escape(name)}'>{escape(name)}</span><span class='track'>"
        f"<span class='fill' style='width:{100 * share:.2f}%;background:{color}'></span></span><span class='p'>{said}</span>"
    )


def table_html(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells wrap, each column's definition one hover away.

    Args:
        columns: name and definition.
        rows: cells that are HTML already.
    """
    head = "".join(
        f"<th title='{escape(said)}'>{escape(name)}</th>" if said else f"<th>{escape(name)}</th>"
        for name, said in columns
    )
    # On a phone each row is a block, and each cell follows the name of its column.
    begin = [f"<td data-column='{escape(name)}'>" for name, _ in columns]
    body = "".join(
        f"<tr>{''.join(f'{td}{cell}</td>' for td, cell in zip(begin, row, strict=True))}</tr>" for row in rows
    )
    return f"<table class='w-table'><tr>{head}</tr>{body}</table>"


def badge_html(fate: Fate) -> str:
    """What became of a case, as a badge in the fate's colour."""
    return f"<span class='w-badge {fate.split()[0]}'>{fate}</span>"


def noise_floor_html(noise_floor: float) -> str:
    """The noise floor, what it is one hover away."""
    return (
        "<span class='w-faint' title='The most that rounding alone can do to this model and sentence: the shift of logits "
        f"that are off by {BEYOND} times what padding or another attention kernel does in fp32, and by at least {LEAST_STEPS} "
        "steps of fp32. A shift at or below it means nothing. The Numerics page shows what rounding "
        f"does.'>Noise floor {noise_floor:.1e}.</span>"
    )


def truncated_html(encoding: Encoding) -> str:
    """A line that says how much of a text the model reads; nothing where it reads all of it."""
    if not encoding.truncated:
        return ""
    read, full = len(encoding.ids), encoding.full_length
    return f"<p class='w-line'>\u26a0 Truncated: only {read:,} of {full:,} tokens were judged: the model reads no more.</p>"


def changed_html(text: str, before: str, longest: int, variant: Variant | None = None) -> str:
    """A changed text, visible, in which what differs from the text before stands out; a homoglyph would be missed otherwise.

    Args:
        longest: characters that are shown.
        variant: the edits that made it, where they are known.
    """
    pieces = marked_text(text, before, longest, variant)
    return "".join(f"<mark>{breakable(piece)}</mark>" if edited else breakable(piece) for piece, edited in pieces)
