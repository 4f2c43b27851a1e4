"""The same recipe with another training seed: accuracy barely moves, single sentences flip."""

import json
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from core import catalog, figures, tables
from core.documents import seeds_document
from core.metrics import label_name, margin, wilson
from core.seeds import Family, OnData
from core.temperature import probabilities
from pages import _widgets

# Variants in the grid: those that move the family most.
SHOWN = 16


def take(text: str) -> None:
    """Make a sentence of the data the current one."""
    st.session_state.sentence = text


def sentence_view(family: Family, text: str, temperature: float) -> None:
    """Every seed on the current sentence and on its variants."""
    comparison = _widgets.compared(family.first, text, (), 0, temperature)
    own = {row.variant.text: key for key, row in tables.keys(comparison).items()}
    prediction = _widgets.family_of(family, (text, *own))
    head, labels = family.first.head, family.first.labels
    p = probabilities(prediction.logits, head, temperature)
    names = [label_name(row, head, labels) for row in p[:, 0]]
    others = sum(name != names[0] for name in names)
    said = (
        f"{others} of {len(names)} seeds do not say {names[0]}, as seed {family.seeds[0]} does."
        if others
        else f"All {len(names)} seeds say {names[0]}."
    )
    counts = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))
    st.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{_widgets.visible_html(text, 300)}</span></p>"
        f"<p class='w-line w-faint'>Votes: {escape(counts)}. {len(names)} LoRA adapters on one encoder, the same data and "
        "recipe; only the seed differs.</p>"
    )
    frame = tables.seeds_strip_frame(family, text, prediction.logits[:, 0], temperature)
    formatting = tables.strip_frame(comparison)
    formatting = formatting[formatting["fate"] != "absorbed"].assign(row=f"formatting, seed {family.seeds[0]}")
    figure = figures.margin_strip(
        pd.concat([frame, formatting], ignore_index=True),
        reference=tables.reference_value(comparison),
        reference_label=comparison.reference.label,
        noise_floor=comparison.noise_floor,
        rows=["seeds", "ensemble", f"formatting, seed {family.seeds[0]}"],
        colors=figures.label_colors(labels),
        title=said,
        dark=_widgets.dark(),
        unit="seeds",
    )
    st.plotly_chart(figure, key="seeds strip", config=_widgets.chart("wobble-seeds"), alt=said)
    margins = np.stack([margin(rows, p[0, 0], head) for rows in p])
    reach = np.abs(margins[:, 1:] - margins[:, :1]).max(axis=0)
    order = [0, *(1 + np.argsort(-reach, kind="stable")[:SHOWN])]
    colors = figures.label_colors(labels)
    other = next(label for label in labels if label != names[0])
    said_by = p.argmax(axis=-1)
    flipped = int((said_by[:, 1:] != said_by[:, :1]).any(axis=0).sum())
    grid_title = f"{flipped} of {len(own)} edits flip some seed's own answer; a cross: not {names[0]}"
    st.plotly_chart(
        figures.seed_grid(
            margins[:, order],
            family.seeds,
            ["your sentence", *(own[text] for text in (list(own)[i - 1] for i in order[1:]))],
            sides=(colors[other], colors[names[0]]),
            title=grid_title,
            dark=_widgets.dark(),
        ),
        key="seeds grid",
        config=_widgets.chart("wobble-seeds-grid"),
        alt=grid_title,
    )
    with st.container(horizontal=True):
        _widgets.download("CSV", "wobble-seeds.csv", lambda: frame.to_csv(index=False).encode())
        _widgets.download(
            "JSON",
            "wobble-seeds.json",
            lambda: json.dumps(seeds_document(family, text, prediction.logits[:, 0]), ensure_ascii=False).encode(),
        )


def data_view(family: Family, found: OnData) -> None:
    """Every seed on the movie test split."""
    rows = []
    for seed, accuracy in zip(family.seeds, found.accuracy, strict=True):
        low, high = wilson(round(accuracy * len(found.texts)), len(found.texts))
        rows.append({"seed": seed, "accuracy": accuracy, "low": low, "high": high})
    spread = found.accuracy.max() - found.accuracy.min()
    said = (
        f"Accuracies lie within {spread:.1%} of each other; two seeds disagree on {found.disagreement:.1%} of the texts"
    )
    st.plotly_chart(
        figures.level_bars(pd.DataFrame(rows), disagreement=found.disagreement, title=said, dark=_widgets.dark()),
        key="levels",
        config=_widgets.chart("wobble-seeds-accuracy"),
        alt=said,
    )
    split = found.split
    parted = split > 0
    apart, together = found.rating_std[parted].mean(), found.rating_std[~parted].mean()
    st.caption(
        f"On the {int(parted.sum()):,} texts on which some seeds disagree, the raters' own standard deviation is {apart:.2f}; on "
        f"the other {int((~parted).sum()):,} it is {together:.2f}. Disagreement between seeds of one encoder is no estimate of the "
        "error: it is smaller."
    )
    st.markdown("**The sentences on which the seeds split most.** One click makes one the current sentence.")
    for i in np.lexsort((np.arange(len(split)), -split))[:10]:
        counts = (found.probabilities[:, i].argmax(-1) == 1).sum()
        st.button(
            _widgets.escape_markdown(f"{counts} of {len(family.seeds)} say {family.first.labels[1]}: {found.texts[i]}"),
            key=f"take {i}",
            on_click=take,
            args=(found.texts[i],),
            type="tertiary",
        )


def way_view(family: Family, text: str) -> None:
    """The straight line between the weights of two seeds."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("From seed", family.seeds, index=0, key="from_seed", bind="query-params", width=140)
        second = st.selectbox("to seed", family.seeds, index=1, key="to_seed", bind="query-params", width=140)
        walk = st.button("Walk", icon=":material/route:")
    if first == second:
        st.info("Choose two different seeds.")
    elif walk or st.session_state.get("walked"):
        st.session_state.walked = True
        found = _widgets.walked(family, text, first, second)
        rises = found.barrier
        label = family.first.labels[int(found.sentence[0].argmax())]
        flips = int((np.diff(found.sentence.argmax(axis=-1)) != 0).sum())
        on_the_way = f"The loss rises by {rises:.3f} nats" if rises > 0.01 else "The loss does not rise"
        changes = {0: "keeps its label", 1: "changes its label once"}.get(flips, f"changes its label {flips} times")
        said = f"{on_the_way} on the way; your sentence {changes}"
        st.plotly_chart(
            figures.way_between(
                found.shares,
                found.loss,
                found.accuracy,
                found.sentence[:, int(found.sentence[0].argmax())],
                label,
                ends=(f"seed {first}", f"seed {second}"),
                title=said,
                dark=_widgets.dark(),
            ),
            key="way",
            config=_widgets.chart("wobble-seeds-way"),
            alt=said,
        )
        st.caption(
            f"Eleven models with weights W + (1 − t) B₁A₁ + t B₂A₂, on the first {found.texts} labelled movie snippets of the "
            "test split. The rise is measured from the straight line between the two ends (Frankle et al., arXiv 1912.05671); "
            "below 0.01 nats it is called none."
        )


text = _widgets.sentence()
chosen = st.session_state.model
family = _widgets.attempt(_widgets.family)
if family is None:
    st.stop()
if chosen and not set(chosen) & set(family.members):
    st.info(
        f"There is no seed family for {_widgets.escape_markdown(', '.join(chosen))}; this page shows the embedded one, "
        f"{catalog.DEFAULT}.",
        icon=":material/info:",
    )
_widgets.attempt(lambda: sentence_view(family, text, st.session_state.temperature))
st.subheader("The family on the movie test split")
if st.button("Run all seeds on the test split", icon=":material/play_arrow:") or st.session_state.get("family_run"):
    st.session_state.family_run = True
    data_view(family, _widgets.family_data(family))
st.subheader("The way from one seed to another")
_widgets.attempt(lambda: way_view(family, text))
