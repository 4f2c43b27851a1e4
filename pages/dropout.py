"""What is random at inference: the same sentence again and again with dropout on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape

import streamlit as st

from core.base.statistics import wilson
from core.factors import dropout as over_passes
from core.factors.case import Case, Row
from core.factors.dropout import MOST_PASSES, Dropout, acting
from core.models.classifier import Classifier
from core.models.heads import Probabilities
from core.models.sites import KINDS
from core.studies.study import Study, arranged, reaching
from core.text.tokens import Encoding
from core.views import strip, tables
from core.views.charts import pass_distribution, settling
from core.views.documents import passes_document, unique
from core.views.html import visible_html
from core.views.scripts import dropout_script
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, work
from pages.parts.inventory import inventory
from pages.parts.pass_measures import SHIFT, measures, scatter

TITLE = "Dropout"
ICON = ":material/casino:"
QUESTION = "What if dropout is left on? Every pass as a dot."
FACTORS = ("dropout",)
OPENS = {"dot": "all that are on, {case}"}

# Passes of what stands beside the main run: enough to compare, few enough to wait for.
BESIDE = 50
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
class Chosen:
    """What is asked for on the left."""

    model: Classifier
    text: str
    passes: int
    dropout: Dropout

    def drawn(self, passes: int, title: str, sites: tuple[str, ...] | None) -> Study | None:
        """Passes of the sentence as the first row of a study; None, and a sentence on the page, where they cannot be run.

        Args:
            title: of the row.
            sites: kinds of those that are on.
        """
        study: Study | None = work.attempt(
            lambda: results.studied(
                self.model, self.text, "dropout", state.current().temperature,
                passes=passes, seed=self.dropout.seed, p=self.dropout.rate, sites=sites,
            )
        )  # fmt: skip
        return study and arranged(study, [replace(study.rows[0], title=title)])


def chosen(model: Classifier, text: str) -> Chosen:
    """The controls on the left."""
    with st.sidebar:
        passes = controls.number("Passes", "passes", 1, MOST_PASSES, 100, help="How often the sentence is run.")
        seed = controls.number("Seed", "dropout_seed", 0, 2**31 - 1, 0, help="Pass i of a seed is always the same.")
        rate = controls.optional(
            "Rate", "rate", 0.0, 0.99, placeholder="the model's own",
            help="One dropout rate for all sites that are on, from 0 up to 0.99; empty: each site its own.",
        )  # fmt: skip
        kinds = controls.several(
            "Sites", "sites", present(model), st.pills, selection_mode="multi", help="None chosen: all of them."
        )
    sites = tuple(kind for kind in present(model) if kind in kinds) or None
    return Chosen(model, text, passes, Dropout(seed, rate, sites))


def present(model: Classifier) -> list[str]:
    """The kinds of sites that a model has."""
    return [kind for kind in KINDS if any(site.kind == kind for site in model.sites)]


def silent(asked: Chosen) -> None:
    """Where no site drops anything: passes could not differ."""
    if acting(asked.model.sites, Dropout()) or asked.dropout.rate is not None:
        said, do = "Nothing drops here.", "Raise the rate or choose other sites on the left"
    else:
        said, do = "This model has no dropout.", "All its rates are zero. Set a rate on the left"
    st.html(f"<p class='w-verdict'>{said}</p>")
    st.info(
        "Every pass would give the same numbers, which says nothing about how stable the model is. "
        f"{do} to see what dropout would do.",
        icon=":material/info:",
    )
    subject.say_refused(TAKEN)
    inventory(asked.model)


def beside(asked: Chosen, compared: Study) -> dict[str, Row]:
    """The rows below the sentence's own passes, by what they are: each kind of site alone, and variants."""
    variants = [key for key, (_, case) in compared.keyed().items() if case.reaches]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        alone = controls.switch(
            "Each kind of site alone", "alone", True,
            help=f"Up to {BESIDE} passes for each kind of site with all others off: which of them matters?",
        )  # fmt: skip
        picked = controls.several(
            "Variants beside it", "beside", variants, st.multiselect, most=5, max_selections=5,
            placeholder="formatting variants under the same dropout", width=420,
            help=f"Up to {BESIDE} passes of each variant under the same dropout, against your sentence with dropout off.",
        )  # fmt: skip
    passes, rows = min(asked.passes, BESIDE), {}
    for kind in present(asked.model) if alone and asked.dropout.sites is None else []:
        if acting(asked.model.sites, replace(asked.dropout, sites=(kind,))):
            part = asked.drawn(passes, f"only {kind}", (kind,))
            if part is not None:
                rows[kind] = part.rows[0]
    for key in picked:
        row = work.attempt(partial(results.passes_beside, asked.model, compared, key, passes, asked.dropout))
        if row is not None:
            rows[key] = row
    return rows


@st.fragment
def dots(study: Study, title: str) -> None:
    """The strip, its numbers, and the dot that was clicked; opening a dot reruns only this."""
    st.plotly_chart(
        strip.figure(study, title=title, dark=charts.dark()),
        key="dropout strip",
        on_select="rerun",
        selection_mode="points",
        config=charts.chart("wobble-dropout"),
        alt=f"Margin strip of dropout passes: {title}",
    )
    keyed = study.keyed()
    state.pointed("dropout strip", "dot")
    # Row by row, a row's dots in their order.
    place = {id(case): (i, j) for i, row in enumerate(study.rows) for j, case in enumerate(row.cases)}
    offered = sorted(keyed, key=lambda key: place[id(keyed[key][1])])
    dot = controls.choice(
        "Open a dot", "dot", offered, nothing="click one above, or choose it here", width=420,
        help="A pass (or an edit) at large: its label and probabilities beside those with dropout off.",
    )  # fmt: skip
    if dot:
        with st.container(border=True):
            opened(study, dot, keyed[dot][1])
    scatter(tables.scatter_frame(study.rows), study.noise_floor)
    state.address("of the strip")


def opened(study: Study, dot: str, case: Case) -> None:
    """One dot at large: your sentence with dropout off beside the pass, or beside the edit."""
    margin = "" if case.margin is None else f"margin {case.margin:+.3f}, "
    st.html(f"<p class='w-line'><b>{escape(dot)}</b>: {margin}<span title='{SHIFT}'>shift {case.shift:.3f}</span>.</p>")
    reference = study.reference
    before, after = tables.changed_positions(reference.encoding, case.encoding)

    def side(title: str, text: str, label: str, encoding: Encoding, marked: Sequence[int], p: Probabilities) -> None:
        st.html(
            f"<p class='w-line'><b>{title}</b>: {escape(label)}</p><p class='w-text'>{visible_html(text, 300)}</p>"
            f"{markup.tokens_html(encoding, marked, 120)}<div style='height:.6rem'></div>"
            f"{markup.bars_html(study.labels, p, study.head, top=8)}"
        )

    left, right = st.columns(2)
    with left:
        off = "Your sentence, dropout off"
        side(off, reference.text, reference.label, reference.encoding, before, reference.probabilities)
    with right:
        on = "This edit, dropout off" if case.variant else "This pass"
        side(on, case.text, case.label, case.encoding, after, case.probabilities)


def distribution(study: Study) -> None:
    """The passes of the sentence label by label, and how the estimate of their flip rate settles."""
    row, reference, names = study.rows[0], study.reference, unique(study.labels)
    samples, off = row.probabilities, reference.probabilities
    top = int(off.argmax())
    mean, std = samples[:, top].mean(), samples[:, top].std()
    scattered = f"\u201c{names[top][:16]}\u201d: {mean:.3f} \u00b1 {std:.3f}, dropout off {off[top]:.3f}"
    left, right = st.columns(2)
    left.plotly_chart(
        pass_distribution(samples, off, names, title=scattered, dark=charts.dark(), has_labels=study.head.has_labels),
        key="distribution",
        config=charts.chart("wobble-dropout-distribution"),
        alt=f"Every pass a dot, and their density: {scattered}",
    )
    if row.flip_interval is None:
        right.caption(
            "A regression head gives a value: it has no label to flip, so there is no flip rate, entropy or vote."
        )
        return
    low, high = row.flip_interval
    settled = f"After {row.tried:,} passes the flip rate is {row.flip_rate:.0%}, {low:.0%} to {high:.0%}"
    right.plotly_chart(
        settling(over_passes.flips(row), wilson, title=settled, dark=charts.dark()),
        key="settling",
        config=charts.chart("wobble-dropout-settling"),
        alt=f"How the estimate settles as passes grow: {settled}",
    )


def forgotten(asked: Chosen) -> None:
    """Ten calls as a user would see them who forgot `model.eval()`."""
    study = work.attempt(
        lambda: results.studied(
            asked.model, asked.text, "dropout", state.current().temperature, passes=10, seed=asked.dropout.seed + 1
        )
    )
    if study is None:
        return
    off, row = study.reference, study.rows[0]
    lines = [
        f">>> model.eval(); classifier(sentence)\n{off.label:12} {off.probabilities.max():.4f}",
        ">>> model.train()",
        *(
            f">>> classifier(sentence)   # call {number}\n{case.label:12} {case.probabilities.max():.4f}"
            for number, case in enumerate(row.cases, start=1)
        ),
    ]
    st.code("\n".join(lines), language="python")
    if row.flips is None:
        said = "each gives another value"
    elif row.flips:
        said = f"{row.flips} of 10 {'gives' if row.flips == 1 else 'give'} another label than model.eval() does"
    else:
        said = "all 10 keep the label, and the probability moves"
    st.caption(
        f"Ten single calls of one sentence, with the checkpoint's own rates: {said}. from\\_pretrained returns a model in "
        "eval mode; a constructor, from\\_config and trainer code leave it in train mode, and then every call "
        "is one of these passes."
    )


def downloads(asked: Chosen, study: Study, title: str) -> None:
    """Everything on the page to take away; made when it is asked for."""
    # The passes of every row; the formatting edits are those of the Perturb page.
    drawn = arranged(study, [row for row in study.rows if not row.factor.edits])

    def run() -> bytes:
        document = passes_document(asked.model, study, asked.dropout)
        document["rows"] = tables.records(tables.scatter_frame(study.rows))
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()

    def chart() -> str:
        html: str = strip.figure(study, title=title).to_html(include_plotlyjs=True)
        return html

    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-dropout.csv", lambda: tables.cases_frame(drawn).to_csv(index=False).encode())
        take_away.download(
            "Parquet", "wobble-dropout.parquet", lambda: tables.cases_frame(drawn).to_parquet(index=False)
        )
        take_away.download("JSON of the run", "wobble-dropout.json", run)
        take_away.download("Chart (HTML)", "wobble-dropout.html", chart)
    st.caption("PNG: the camera at the top right of each chart. The table holds every pass of every row of the strip.")


def page(asked: Chosen) -> None:
    """Everything on the page, where anything drops."""
    model, dropout, temperature = asked.model, asked.dropout, state.current().temperature
    refused = st.container()
    own = asked.drawn(asked.passes, tables.ALL_ON, dropout.sites)
    compared = work.attempt(lambda: results.compared(model, asked.text, (), temperature))
    if own is None or compared is None:
        return
    st.html(
        f"<p class='w-verdict'>{escape(over_passes.said(own.rows[0]))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(asked.text, 300)}</span></p>"
        f"<p class='w-line w-faint'>{escape(own.model)} on {escape(own.device)}, seed {dropout.seed}, "
        f"{len(acting(model.sites, dropout))} of {len(model.sites)} sites act"
        f"{'' if dropout.rate is None else f' at rate {dropout.rate:g}'}"
        f"{'' if temperature == 1 else f', T = {temperature:g}'}. The dotted line is the prediction with dropout off. "
        f"{markup.noise_floor_html(own.noise_floor)}</p>"
        f"{markup.truncated_html(own.reference.encoding)}"
    )
    others, edited = beside(asked, compared), reaching(compared, FORMATTING)
    study = arranged(own, [own.rows[0], *others.values(), edited])
    kinds: dict[str, Row] = {kind: others[kind] for kind in KINDS if kind in others}
    title = tables.scatter_finding(kinds, own.rows[0], edited)
    dots(study, title)
    with refused:
        subject.say_refused(TAKEN)
    distribution(own)
    measures(over_passes.measures(own.rows[0], own.reference))
    if acting(model.sites, Dropout()) and controls.switch(
        "What if someone forgot model.eval()?", "forgot",
        help="Ten single calls of a model that was left in train mode, with the checkpoint's own rates.",
    ):  # fmt: skip
        forgotten(asked)
    inventory(model)
    downloads(asked, study, title)
    if (script := dropout_script(model, asked.text, asked.passes, dropout, temperature)) is not None:
        take_away.code(lambda: script)
    else:
        st.caption("No script for this choice: plain transformers cannot switch these sites off without the others.")


sentence = subject.sentence()
asked = chosen(subject.one_model(), sentence)
if acting(asked.model.sites, asked.dropout):
    page(asked)
else:
    silent(asked)
