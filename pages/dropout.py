"""What is random at inference: the same sentence again and again with dropout on."""

import json
from html import escape

import pandas as pd
import streamlit as st

from core import figures, tables
from core.classifier import Classifier
from core.documents import passes_document
from core.dropout import MOST_PASSES, Dropout, Passes, Spread, acting, spread
from core.metrics import wilson
from core.scripts import dropout_script
from core.sites import KINDS
from pages import _widgets

MEASURES = (
    (
        "Flip rate",
        "flip_rate",
        "share of passes whose label differs",
        "how often someone who left dropout on sees another label",
    ),
    (
        "Predictive entropy",
        "entropy",
        "H[mean p], nats",
        "how unsure the passes are taken together: 0 is sure, log(number of labels) is a guess",
    ),
    (
        "Mutual information",
        "mutual_information",
        "H[mean p] − mean H[p], nats",
        "how much of that comes from passes that disagree (BALD)",
    ),
    (
        "Variation ratio",
        "variation_ratio",
        "1 − votes of the modal label / passes",
        "share of passes that leave the majority",
    ),
)
# Passes of what stands beside the main run: enough to compare, few enough to wait for.
BESIDE = 50


def summary(model: Classifier, passes: Passes, reference: Passes) -> Spread:
    """The passes of one text against the prediction of another (or the same) with dropout off."""
    return spread(model, passes.logits[:, 0], reference.reference[0], st.session_state.temperature)


def verdict(found: Spread, labels: tuple[str, ...], passes: int) -> str:
    """The finding in a sentence."""
    if found.flips is None or found.flip_interval is None:
        return f"Over {passes} passes the output scatters by {found.std.max():.3f} (standard deviation)."
    low, high = found.flip_interval
    count = int(found.flips.sum())
    if not count:
        return f"None of {passes} passes flips it: the flip rate is at most {high:.1%} (95 %)."
    return f"{count} of {passes} passes flip it: {count / passes:.0%} (95 % interval {low:.0%} to {high:.0%})."


def measures(found: Spread) -> None:
    """The measures with their formulas and a plain reading."""
    rows = []
    for name, attribute, formula, reading in MEASURES:
        value = getattr(found, attribute)
        if value is not None:
            rows.append({"measure": name, "value": float(value), "formula": formula, "reading": reading})
    st.dataframe(
        rows, hide_index=True, column_config={"value": st.column_config.NumberColumn(format="%.4f", width="small")}
    )


def inventory(model: Classifier) -> None:
    """Where dropout acts in this model."""
    with st.expander(f"{len(model.sites)} dropout sites of {_widgets.escape_markdown(model.id)}"):
        st.dataframe(
            [{"site": site.name, "kind": site.kind, "rate": site.rate} for site in model.sites], hide_index=True
        )


def forgotten(found: Spread) -> None:
    """Ten calls as a user would see them who forgot `model.eval()`."""
    lines = [
        f">>> classifier(sentence)   # call {number}\n{label:12} {p.max():.4f}"
        for number, (label, p) in enumerate(zip(found.labels[:10], found.samples[:10], strict=True), start=1)
    ]
    st.code("\n".join(lines), language="python")
    names = len(set(found.labels[:10]))
    st.caption(
        f"Ten single calls of one sentence, with the checkpoint's own rates: {names} different "
        f"{'answer' if names == 1 else 'answers'}. from_pretrained returns a model in eval mode; a constructor, from_config "
        "and trainer code leave it in train mode, and then every call is one of these passes."
    )


text, temperature = _widgets.sentence(), st.session_state.temperature
model = _widgets.chosen_models()[0]
own = any(site.rate > 0 for site in model.sites)
with st.sidebar:
    st.number_input(
        "Passes", 1, MOST_PASSES, 100, key="passes", bind="query-params", help="How often the sentence is run."
    )
    st.number_input(
        "Seed", 0, 2**31 - 1, 0, key="dropout_seed", bind="query-params", help="Pass i of a seed is always the same."
    )
    st.number_input(
        "Rate", 0.0, 0.99, value=None, step=0.05, key="rate", bind="query-params",
        placeholder="the model's own", help="One dropout rate for all sites that are on; empty: each site its own.",
    )  # fmt: skip
    present = [kind for kind in KINDS if any(site.kind == kind for site in model.sites)]
    st.pills(
        "Sites", present, selection_mode="multi", key="sites", bind="query-params", help="None chosen: all of them."
    )
rate, passes, seed = st.session_state.rate, st.session_state.passes, st.session_state.dropout_seed
sites = tuple(kind for kind in present if kind in (st.session_state.sites or ())) or None
if not own and rate is None:
    st.html("<p class='w-verdict'>This model has no dropout.</p>")
    st.info(
        "All its rates are zero, so every pass would give the same numbers: that says nothing about how stable it is. "
        "Set a rate on the left to see what dropout would do.",
        icon=":material/info:",
    )
    inventory(model)
    st.stop()

dropout = Dropout(seed=seed, rate=rate, sites=sites)
run = _widgets.attempt(lambda: _widgets.passes_of(model, text, passes, dropout))
if run is None:
    st.stop()
found = summary(model, run, run)
st.html(
    f"<p class='w-verdict'>{escape(verdict(found, model.labels, passes))}</p>"
    f"<p class='w-line'><span class='w-text'>{_widgets.visible_html(text, 300)}</span></p>"
    f"<p class='w-line w-faint'>{escape(model.id)} on {escape(str(model.device))}, seed {seed}, "
    f"{len(acting(model.sites, dropout))} of {len(model.sites)} sites act"
    f"{'' if rate is None else f' at rate {rate:g}'}"
    f"{'' if temperature == 1 else f', T = {temperature:g}'}. The dotted line is the prediction with dropout off.</p>"
)

comparison = _widgets.attempt(lambda: _widgets.compared(model, text, (), 0, temperature))
reaching = {key: row for key, row in tables.keys(comparison).items() if not row.absorbed} if comparison else {}
with st.container(horizontal=True, vertical_alignment="bottom"):
    alone = st.toggle("Each kind of site alone", value=True, key="alone", bind="query-params")
    chosen = st.multiselect(
        "Variants beside it", list(reaching), key="beside", bind="query-params", max_selections=5,
        placeholder="formatting variants under the same dropout", width=420,
    )  # fmt: skip
strip_rows = {"all that are on": found}
if alone and sites is None:
    for kind in present:
        single = Dropout(seed=seed, rate=rate, sites=(kind,))
        if acting(model.sites, single):
            part = _widgets.attempt(lambda single=single: _widgets.passes_of(model, text, min(passes, BESIDE), single))
            if part is not None:
                strip_rows[f"only {kind}"] = summary(model, part, run)
for key in chosen:
    variant = reaching[key].variant.text
    other = _widgets.attempt(lambda variant=variant: _widgets.passes_of(model, variant, min(passes, BESIDE), dropout))
    if other is not None:
        strip_rows[key] = summary(model, other, run)
frames = [tables.passes_strip_frame(name, text, one, model.labels) for name, one in strip_rows.items()]
if comparison:
    formatting = tables.strip_frame(comparison)
    frames.append(formatting[formatting["fate"] != "absorbed"].assign(row="formatting, no dropout"))
label = comparison.reference.label if comparison else found.labels[0]
figure = figures.margin_strip(
    pd.concat(frames, ignore_index=True),
    reference=tables.reference_value(comparison) if comparison else 0.0,
    reference_label=label,
    noise_floor=comparison.noise_floor if comparison else 0.0,
    rows=[*strip_rows, "formatting, no dropout"],
    colors=figures.label_colors(model.labels),
    title="Every dot is a pass; last row: every formatting edit that reaches the model, without dropout",
    dark=_widgets.dark(),
    has_labels=model.head != "regression",
    unit="passes",
)
st.plotly_chart(
    figure, key="dropout strip", config=_widgets.chart("wobble-dropout"), alt=verdict(found, model.labels, passes)
)

left, right = st.columns(2)
with left:
    spread_title = f"The passes spread by {found.std.max():.3f} around a mean of {found.mean.max():.3f}"
    st.plotly_chart(
        figures.pass_distribution(
            found.samples,
            found.reference,
            tables.unique(model.labels),
            title=spread_title,
            dark=_widgets.dark(),
            has_labels=model.head != "regression",
        ),
        key="distribution",
        config=_widgets.chart("wobble-dropout-distribution"),
        alt=spread_title,
    )
with right:
    if found.flips is not None and found.flip_interval is not None:
        width = found.flip_interval[1] - found.flip_interval[0]
        settled = f"After {passes} passes the interval is {width:.0%} wide"
        st.plotly_chart(
            figures.settling(found.flips, wilson, title=settled, dark=_widgets.dark()),
            key="settling",
            config=_widgets.chart("wobble-dropout-settling"),
            alt=settled,
        )
measures(found)
if own and st.toggle("What if someone forgot model.eval()?", key="forgot", bind="query-params"):
    calls = _widgets.attempt(lambda: _widgets.passes_of(model, text, 10, Dropout(seed=seed + 1)))
    if calls is not None:
        forgotten(summary(model, calls, calls))
inventory(model)
with st.container(horizontal=True):
    _widgets.download(
        "CSV", "wobble-dropout.csv", lambda: tables.passes_frame(text, found, model.labels).to_csv(index=False).encode()
    )
    _widgets.download(
        "JSON of the run",
        "wobble-dropout.json",
        lambda: json.dumps(passes_document(model, text, found, dropout), ensure_ascii=False).encode(),
    )
    _widgets.download("Chart (HTML)", "wobble-dropout.html", lambda: figure.to_html(include_plotlyjs=True))
if (script := dropout_script(model, text, passes, dropout, temperature)) is not None:
    _widgets.code(script)
