"""What is random at inference: the same sentence again and again with dropout on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.factors.dropout import MOST_PASSES, Dropout, Passes, Spread, acting, spread
from core.models.classifier import Classifier
from core.models.heads import Probabilities, label_name, wilson
from core.models.sites import KINDS
from core.studies.compare import Comparison, Row
from core.text.tokens import Encoding
from core.views import figures, tables
from core.views.documents import passes_document
from core.views.html import visible_html
from core.views.scripts import dropout_script
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, work

TITLE = "Dropout"
ICON = ":material/casino:"
QUESTION = "What if dropout is left on? Every pass as a dot."
FACTORS = ("dropout",)

# Name, attribute of a Spread, formula, plain reading.
MEASURES = (
    (
        "Flip rate",
        "flip_rate",
        "flips / passes",
        "how often someone who left dropout on sees another label",
    ),
    (
        "Predictive entropy",
        "entropy",
        "H[mean p] = \u2212\u03a3 p log p of the mean, in nats",
        "how unsure the passes are taken together",
    ),
    (
        "Mutual information",
        "mutual_information",
        "H[mean p] \u2212 mean H[p], in nats",
        "how much of that comes from passes that disagree (BALD); the rest every pass is unsure of by itself",
    ),
    (
        "Variation ratio",
        "variation_ratio",
        "1 \u2212 votes of the modal label / passes",
        "share of passes that leave the majority",
    ),
)
# Passes of what stands beside the main run: enough to compare, few enough to wait for.
BESIDE = 50
SHIFT = "Total variation distance to the probabilities of your sentence with dropout off, \u00bd \u03a3 |p \u2212 q|, from 0 to 1"
FORMATTING = "formatting, no dropout"
# What a link may ask for.
TAKEN = {
    "passes": f"a whole number from 1 to {MOST_PASSES:,}",
    "rate": "a rate from 0 up to 0.99 (a rate of 1 would leave nothing)",
    "dropout_seed": "a whole number from 0 to 2,147,483,647",
    "sites": "a kind of site that this model has",
    "beside": "a variant that reaches the model",
    "dot": "a dot on this strip",
}


@dataclass(frozen=True)
class Shown:
    """One row of passes on the strip."""

    text: str
    encoding: Encoding
    spread: Spread


def summary(model: Classifier, passes: Passes, reference: Passes) -> Spread:
    """The passes of one text against the prediction of another (or the same) with dropout off."""
    return spread(model, passes.logits[:, 0], reference.reference[0], state.current().temperature)


def verdict(found: Spread, drops: bool) -> str:
    """The finding in a sentence."""
    passes = len(found.samples)
    noun = "pass" if passes == 1 else "passes"
    if not drops:
        return "Nothing drops here, so every pass repeats the prediction exactly: that says nothing about stability."
    if found.flips is None or found.flip_interval is None:
        return f"Over {passes:,} {noun} the output scatters by {found.std.max():.3f} (standard deviation)."
    low, high = found.flip_interval
    count = int(found.flips.sum())
    if not count:
        return f"None of {passes:,} {noun} flips it: the flip rate is at most {high:.1%} (95% interval)."
    return (
        f"{count:,} of {passes:,} {noun} {'flips' if count == 1 else 'flip'} it: {count / passes:.0%} "
        f"(95% interval {low:.0%} to {high:.0%})."
    )


def measures(found: Spread) -> None:
    """The measures with their formulas, a plain reading, and what they are with dropout off and at the most."""
    # Without dropout all passes are the reference.
    certain = replace(
        found, samples=found.reference[None], flips=None if found.flips is None else found.flips[:1] & False
    )
    rows = []
    for name, attribute, formula, reading in MEASURES:
        value = getattr(found, attribute)
        if value is None:
            continue
        interval = found.flip_interval if attribute == "flip_rate" else None
        said = "" if interval is None else f" ({interval[0]:.4f} to {interval[1]:.4f})"
        rows.append(
            (
                f"<b>{name}</b>",
                f"<b>{value:.4f}</b>{said}",
                f"{getattr(certain, attribute):.4f}",
                escape(formula),
                escape(reading),
            )
        )
    if rows:
        st.html(
            markup.table_html(
                (
                    ("measure", ""),
                    ("over the passes", "In brackets Wilson's 95% interval of the share"),
                    ("dropout off", "The same measure of the deterministic prediction: the reference"),
                    ("formula", "p: the probabilities of a pass; mean p: their mean over the passes; H: entropy"),
                    ("reading", ""),
                ),
                rows,
            )
        )


def scatter(rows: pd.DataFrame, noise_floor: float) -> None:
    """The strip in numbers: dropout noise beside formatting shift."""

    def moved(value: float) -> str:
        return f"{value:.4f}" if value > noise_floor else "below the noise floor"

    st.html(
        markup.table_html(
            (
                (
                    "row of the strip",
                    "Each kind of site alone, all together, variants under dropout, and formatting without it",
                ),
                ("flips", "Dots whose label differs from that of your sentence with dropout off"),
                ("flip rate", "In brackets Wilson's 95% interval of the share"),
                ("mean shift", SHIFT),
                ("largest shift", SHIFT),
            ),
            [
                (
                    f"<b>{escape(row.row)}</b>",
                    f"{row.dots:,} dots" if row.flips is None else f"{row.flips:,} of {row.dots:,}",
                    "none: a value has no label"
                    if row.flips is None
                    else f"{row.flips / row.dots:.1%} ({row.low:.1%} to {row.high:.1%})",
                    moved(row.mean_shift),
                    moved(row.largest_shift),
                )
                for row in rows.astype(object).where(rows.notna(), None).itertuples()
            ],
        )
    )


def inventory(model: Classifier) -> None:
    """Where dropout acts in this model."""
    with st.expander(f"{len(model.sites)} dropout sites of {markup.escape_markdown(model.id)}"):
        st.dataframe(
            [{"site": site.name, "kind": site.kind, "rate": site.rate} for site in model.sites], hide_index=True
        )


def forgotten(found: Spread, labels: tuple[str, ...]) -> None:
    """Ten calls as a user would see them who forgot `model.eval()`."""
    off = label_name(found.reference, found.head, labels)
    lines = [f">>> model.eval(); classifier(sentence)\n{off:12} {found.reference.max():.4f}", ">>> model.train()"]
    lines += [
        f">>> classifier(sentence)   # call {number}\n{label:12} {p.max():.4f}"
        for number, (label, p) in enumerate(zip(found.labels[:10], found.samples[:10], strict=True), start=1)
    ]
    st.code("\n".join(lines), language="python")
    if found.flips is None:
        said = "each gives another value"
    elif flips := int(found.flips[:10].sum()):
        said = f"{flips} of 10 {'gives' if flips == 1 else 'give'} another label than model.eval() does"
    else:
        said = "all 10 keep the label, and the probability moves"
    st.caption(
        f"Ten single calls of one sentence, with the checkpoint's own rates: {said}. from\\_pretrained returns a model in "
        "eval mode; a constructor, from\\_config and trainer code leave it in train mode, and then every call "
        "is one of these passes."
    )


def opened(model: Classifier, run: Shown, dot: str, rows: Mapping[str, Shown], variants: Mapping[str, Row]) -> None:
    """One dot at large: your sentence with dropout off beside the pass, or beside the formatting edit."""
    name, _, number = dot.rpartition(", pass ")
    if name:
        shown, i = rows[name], int(number) - 1
        text, encoding, p = shown.text, shown.encoding, shown.spread.samples[i]
        moved, margins = shown.spread.shifts[i], shown.spread.margins
        margin = None if margins is None else margins[i]
    else:
        row = variants[dot]
        text, encoding, p, moved, margin = row.variant.text, row.encoding, row.probabilities, row.shift, row.margin
    said = "" if margin is None else f"margin {margin:+.3f}, "
    st.html(f"<p class='w-line'><b>{escape(dot)}</b>: {said}<span title='{SHIFT}'>shift {moved:.3f}</span>.</p>")
    before, after = tables.changed_positions(run.encoding, encoding)

    def side(title: str, text: str, encoding: Encoding, marked: Sequence[int], p: Probabilities) -> None:
        label = label_name(p, model.head, model.labels)
        st.html(
            f"<p class='w-line'><b>{title}</b>: {escape(label)}</p><p class='w-text'>{visible_html(text, 300)}</p>"
            f"{markup.tokens_html(encoding, marked, 120)}<div style='height:.6rem'></div>"
            f"{markup.bars_html(model.labels, p, model.head, top=8)}"
        )

    left, right = st.columns(2)
    with left:
        side("Your sentence, dropout off", run.text, run.encoding, before, run.spread.reference)
    with right:
        side("This pass" if name else "This edit, dropout off", text, encoding, after, p)


@st.fragment
def strip(
    model: Classifier, run: Shown, rows: Mapping[str, Shown], comparison: Comparison, variants: Mapping[str, Row]
) -> None:
    """The strip, its numbers, and the dot that was clicked; opening a dot reruns only this."""
    frame = strip_dots(model, rows, comparison)
    names = [*rows, FORMATTING]
    numbers = tables.scatter_frame(frame, names, model.head != "regression")
    title = tables.scatter_finding(numbers, FORMATTING)
    st.plotly_chart(
        strip_figure(model, frame, names, comparison, title, charts.dark()),
        key="dropout strip",
        on_select="rerun",
        selection_mode="points",
        config=charts.chart("wobble-dropout"),
        alt=f"Margin strip of dropout passes: {title}",
    )
    dots = list(frame["variant"])
    state.pointed("dropout strip", "dot")
    dot = controls.choice(
        "Open a dot", "dot", dots, nothing="click one above, or choose it here", width=420,
        help="A pass (or an edit) at large: its label and probabilities beside those with dropout off.",
    )  # fmt: skip
    if dot:
        with st.container(border=True):
            opened(model, run, dot, rows, variants)
    scatter(numbers, comparison.noise_floor)
    state.address("of the strip")


def strip_dots(model: Classifier, rows: Mapping[str, Shown], comparison: Comparison) -> pd.DataFrame:
    """Every dot of the strip: the passes row by row, and the edits that reach the model."""
    formatting = tables.strip_frame(comparison)
    return pd.concat(
        [
            *(
                tables.passes_strip_frame(name, row.text, row.encoding, row.spread, model.labels)
                for name, row in rows.items()
            ),
            formatting[formatting["fate"] != "absorbed"].assign(row=FORMATTING),
        ],
        ignore_index=True,
    )


def strip_figure(
    model: Classifier, frame: pd.DataFrame, names: Sequence[str], comparison: Comparison, title: str, dark: bool
) -> go.Figure:
    """The margin strip of the page."""
    return figures.margin_strip(
        frame,
        reference=tables.strip_value(comparison.reference),
        reference_label=comparison.reference.label,
        noise_floor=comparison.noise_floor,
        rows=names,
        colors=figures.label_colors(model.labels),
        title=title,
        dark=dark,
        has_labels=model.head != "regression",
        unit="dots",
    )


def downloads(
    model: Classifier, rows: Mapping[str, Shown], comparison: Comparison, dropout: Dropout, temperature: float
) -> None:
    """Everything on the page to take away; made when it is asked for."""

    def frame() -> pd.DataFrame:
        return pd.concat(
            [tables.passes_frame(name, row.text, row.spread, model.labels) for name, row in rows.items()],
            ignore_index=True,
        )

    def dots() -> pd.DataFrame:
        return strip_dots(model, rows, comparison)

    def numbers() -> pd.DataFrame:
        return tables.scatter_frame(dots(), [*rows, FORMATTING], model.head != "regression")

    def run() -> bytes:
        first = next(iter(rows.values()))
        document = passes_document(model, first.text, first.spread, dropout, temperature)
        beside = numbers()
        document["rows"] = beside.astype(object).where(beside.notna(), None).to_dict("records")
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()

    def chart() -> str:
        title = tables.scatter_finding(numbers(), FORMATTING)
        figure = strip_figure(model, dots(), [*rows, FORMATTING], comparison, title, dark=False)
        html: str = figure.to_html(include_plotlyjs=True)
        return html

    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-dropout.csv", lambda: frame().to_csv(index=False).encode())
        take_away.download("Parquet", "wobble-dropout.parquet", lambda: frame().to_parquet(index=False))
        take_away.download("JSON of the run", "wobble-dropout.json", run)
        take_away.download("Chart (HTML)", "wobble-dropout.html", chart)
    st.caption("PNG: the camera at the top right of each chart. The table holds every pass of every row of the strip.")


text, temperature = subject.sentence(), state.current().temperature
model = subject.one_model()
own = any(site.rate > 0 for site in model.sites)
with st.sidebar:
    passes = controls.number("Passes", "passes", 1, MOST_PASSES, 100, help="How often the sentence is run.")
    seed = controls.number("Seed", "dropout_seed", 0, 2**31 - 1, 0, help="Pass i of a seed is always the same.")
    rate = controls.optional(
        "Rate", "rate", 0.0, 0.99, placeholder="the model's own",
        help="One dropout rate for all sites that are on, from 0 up to 0.99; empty: each site its own.",
    )  # fmt: skip
    present = [kind for kind in KINDS if any(site.kind == kind for site in model.sites)]
    chosen_sites = controls.several(
        "Sites", "sites", present, st.pills, selection_mode="multi", help="None chosen: all of them."
    )
sites = tuple(kind for kind in present if kind in chosen_sites) or None
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
said = st.container()
run = work.attempt(lambda: results.passes_of(model, text, passes, dropout))
comparison = work.attempt(lambda: results.compared(model, text, (), 0, temperature))
if run is None or comparison is None:
    st.stop()
found = summary(model, run, run)
finding = verdict(found, bool(acting(model.sites, dropout)))
st.html(
    f"<p class='w-verdict'>{escape(finding)}</p>"
    f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
    f"<p class='w-line w-faint'>{escape(model.id)} on {escape(str(model.device))}, seed {seed}, "
    f"{len(acting(model.sites, dropout))} of {len(model.sites)} sites act"
    f"{'' if rate is None else f' at rate {rate:g}'}"
    f"{'' if temperature == 1 else f', T = {temperature:g}'}. The dotted line is the prediction with dropout off. "
    f"{markup.noise_floor_html(comparison.noise_floor)}</p>"
    f"{markup.truncated_html(run.encodings[0])}"
)
reaching = {key: row for key, row in tables.keys(comparison).items() if not row.absorbed}
with st.container(horizontal=True, vertical_alignment="bottom"):
    alone = controls.switch(
        "Each kind of site alone", "alone", True,
        help=f"Up to {BESIDE} passes for each kind of site with all others off: which of them matters?",
    )  # fmt: skip
    chosen = controls.several(
        "Variants beside it", "beside", list(reaching), st.multiselect, most=5, max_selections=5,
        placeholder="formatting variants under the same dropout", width=420,
        help=f"Up to {BESIDE} passes of each variant under the same dropout, against your sentence with dropout off.",
    )  # fmt: skip
rows = {tables.ALL_ON: Shown(text, run.encodings[0], found)}
if alone and sites is None:
    for kind in present:
        single = Dropout(seed=seed, rate=rate, sites=(kind,))
        if acting(model.sites, single):
            part = work.attempt(lambda single=single: results.passes_of(model, text, min(passes, BESIDE), single))
            if part is not None:
                rows[f"only {kind}"] = Shown(text, part.encodings[0], summary(model, part, run))
for key in chosen:
    variant = reaching[key].variant.text
    other = work.attempt(lambda variant=variant: results.passes_of(model, variant, min(passes, BESIDE), dropout))
    if other is not None:
        rows[key] = Shown(variant, other.encodings[0], summary(model, other, run))
strip(model, rows[tables.ALL_ON], rows, comparison, reaching)
with said:
    subject.say_refused(TAKEN)

left, right = st.columns(2)
with left:
    top = int(found.reference.argmax())
    name = tables.unique(model.labels)[top]
    spread_title = (
        f"\u201c{name[:16]}\u201d: {found.mean[top]:.3f} \u00b1 {found.std[top]:.3f}, "
        f"dropout off {found.reference[top]:.3f}"
    )
    st.plotly_chart(
        figures.pass_distribution(
            found.samples,
            found.reference,
            tables.unique(model.labels),
            title=spread_title,
            dark=charts.dark(),
            has_labels=model.head != "regression",
        ),
        key="distribution",
        config=charts.chart("wobble-dropout-distribution"),
        alt=f"Every pass a dot, and their density: {spread_title}",
    )
with right:
    if found.flips is not None and found.flip_interval is not None:
        low, high = found.flip_interval
        settled = f"After {passes:,} passes the flip rate is {found.flip_rate:.0%}, {low:.0%} to {high:.0%}"
        st.plotly_chart(
            figures.settling(found.flips, wilson, title=settled, dark=charts.dark()),
            key="settling",
            config=charts.chart("wobble-dropout-settling"),
            alt=f"How the estimate settles as passes grow: {settled}",
        )
    else:
        st.caption(
            "A regression head gives a value: it has no label to flip, so there is no flip rate, entropy or vote."
        )
measures(found)
if own and controls.switch(
    "What if someone forgot model.eval()?", "forgot",
    help="Ten single calls of a model that was left in train mode, with the checkpoint's own rates.",
):  # fmt: skip
    calls = work.attempt(lambda: results.passes_of(model, text, 10, Dropout(seed=seed + 1)))
    if calls is not None:
        forgotten(summary(model, calls, calls), model.labels)
inventory(model)
downloads(model, rows, comparison, dropout, temperature)
if (script := dropout_script(model, text, passes, dropout, temperature)) is not None:
    take_away.code(lambda: script)
else:
    st.caption("No script for this choice: plain transformers cannot switch these sites off without the others.")
