"""What is random at inference: the same sentence again and again with dropout on."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import streamlit as st

from core.base.statistics import wilson
from core.base.words import shortened, tempered, verb
from core.factors import dropout as over_passes
from core.factors.case import Case, Reference, Row
from core.factors.dropout import MOST_PASSES, Dropout, acting
from core.models.classifier import Classifier
from core.models.site import KINDS
from core.studies.study import Study, arranged, in_one_row
from core.studies.verdict import edit_counts
from core.views import charts, documents, scripts, strip, tables
from core.views.html import share, visible_html
from pages import controls, state
from pages.parts import markup, opened, pinned, plots, results, sidebar, subject, take_away, work

PAGE = {
    "title": "Dropout",
    "icon": ":material/casino:",
    "question": "What if dropout is left on? Every pass as a dot.",
    "factors": ("dropout",),
    "opens": {"dot": "all that are on, {case}"},
}

# Passes of what stands beside the main run: enough to compare, few enough to wait for.
BESIDE = 50
STRIP = "dropout strip"
EDITS = "edits, no dropout"
# What a link may ask for.
TAKEN = {
    "passes": f"a whole number from 1 to {MOST_PASSES:,}",
    "rate": "a rate from 0 up to 0.99 (a rate of 1 would leave nothing)",
    "dropout_seed": "a whole number from 0 to 2,147,483,647",
    "sites": "a kind of site that this model has",
    "beside": "a variant that reaches the model",
    "dot": "a dot on this strip",
}
SHIFT = "Total variation distance to the probabilities of your sentence with dropout off, \u00bd \u03a3 |p \u2212 q|, from 0 to 1"
MEASURES = (
    ("measure", ""),
    ("over the passes", "In brackets Wilson's 95% interval of the share"),
    ("dropout off", "The same measure of the deterministic prediction: the reference"),
    ("formula", "p: the probabilities of a pass; mean p: their mean over the passes; H: entropy"),
    ("reading", ""),
)
ROWS = (
    ("row of the strip", "All sites together, each kind alone, variants under dropout, and the edits without it"),
    ("flips", "Dots whose label differs from that of your sentence with dropout off"),
    ("flip rate", "In brackets Wilson's 95% interval of the share"),
    ("mean shift", SHIFT),
    ("largest shift", SHIFT),
)


def inventory(model: Classifier) -> None:
    with st.expander(f"{len(model.sites)} dropout sites of {markup.escape_markdown(model.id)}"):
        sites = [{"site": site.name, "kind": site.kind, "rate": site.rate} for site in model.sites]
        st.dataframe(sites, hide_index=True)


@st.fragment
def dots(model: Classifier, study: Study, title: str, how: Mapping[str, Dropout]) -> None:
    """The strip, the dot that is opened, and the strip's numbers; opening a dot reruns only this.

    Args:
        how: the passes of each row drop, by its name.
    """

    def draw(marked: str) -> None:
        figure, legend = strip.figure(study, title=title, dark=plots.dark(), marked=marked), strip.legend_html(study)
        alt = f"Margin strip of dropout passes: {title}"
        plots.show(figure, STRIP, "wobble-dropout", alt, opens=True, legend=legend)

    def script(study: Study, row: Row, case: Case) -> str | None:
        if row.name in how:
            drops = how[row.name]
            options = {"seed": drops.seed, "p": drops.rate, "sites": drops.sites}
            study = replace(study, options={row.factor.name: options})
        return scripts.case_script(model, study, row, case)

    opened.section([study], draw, script, charts=[STRIP], opens="dot")
    # The strip in numbers: dropout noise beside the shift of edits.
    st.html(
        markup.table_html(
            ROWS,
            [
                (
                    f"<b>{escape(row.name)}</b>",
                    f"{row.tried:,} dots" if row.flips is None else f"{row.flips:,} of {row.tried:,}",
                    "none: a value has no label" if row.flips is None else share(row),
                    *(
                        f"{shift:.4f}" if shift > study.noise_floor else "below the noise floor"
                        for shift in (row.shifts.mean(), row.shifts.max())
                    ),
                )
                for row in study.rows
                if row.tried
            ],
        )
    )
    state.address("of the strip")


text, temperature = subject.sentence(), state.current().temperature
head = work.header("Running the passes")
model = subject.one_model()
present = [kind for kind in KINDS if any(site.kind == kind for site in model.sites)]
with sidebar.own():
    left, middle, right = st.columns(3, gap="xsmall")
    with left:
        count = controls.number("Passes", "passes", 1, MOST_PASSES, 100, help="How often the sentence is run.")
    with middle:
        seed = controls.number("Seed", "dropout_seed", 0, 2**31 - 1, 0, help="Pass i of a seed is always the same.")
    with right:
        rate = controls.optional(
            "Rate", "rate", 0.0, 0.99, placeholder="model's",
            help="One dropout rate for all sites that are on, from 0 up to 0.99; empty: each site its own.",
        )  # fmt: skip
    on = controls.several("Sites", "sites", present, st.pills, selection_mode="multi", help="None chosen: all of them.")
dropout = Dropout(seed, rate, tuple(kind for kind in present if kind in on) or None)
if not acting(model.sites, dropout):
    said, do = "This model has no dropout.", "All its rates are zero. Set a rate on the left"
    if acting(model.sites, Dropout()) or rate is not None:
        said, do = "Nothing drops here.", "Raise the rate or choose other sites on the left"
    work.headed(head).html(f"<p class='w-verdict'>{said}</p>")
    st.info(
        "Every pass would give the same numbers, which says nothing about how stable the model is. "
        f"{do} to see what dropout would do.",
        icon=":material/info:",
    )
    subject.say_refused(TAKEN)
    inventory(model)
    work.end()

refused = st.container()
run = partial(results.studied, model, text, "dropout", temperature)
drawn = partial(run, seed=seed, p=rate)
found = work.needed(partial(drawn, passes=count, sites=dropout.sites))
first = replace(found.rows[0], title=tables.ALL_ON)
own = arranged(found, [first])
compared = work.needed(lambda: results.compared(model, text, (), temperature))
edits = compared.keyed()
work.headed(head).html(
    f"<p class='w-verdict'>{escape(over_passes.said(first))}</p>"
    f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
    f"<p class='w-line w-faint'>{escape(own.model)} on {escape(own.device)}, seed {seed}, "
    f"{len(acting(model.sites, dropout))} of {len(model.sites)} sites act"
    f"{'' if rate is None else f' at rate {rate:g}'}"
    f"{tempered(temperature)}. The dotted line is the prediction with dropout off. "
    f"{markup.noise_floor_html(own.noise_floor)}</p>"
    f"<p class='w-line'>With dropout off: {escape(edit_counts(compared))}</p>{markup.truncated_html(own.reference.encoding)}"
)
pinned.bars([model])
with st.container(horizontal=True, vertical_alignment="bottom"):
    alone = controls.switch(
        "Each kind of site alone", "alone", True,
        help=f"Up to {BESIDE} passes for each kind of site with all others off: which kind matters?",
    )  # fmt: skip
    picked = controls.several(
        "Variants beside it", "beside",
        [key for key, (_, case) in edits.items() if case.reaches],
        st.multiselect, most=5, max_selections=5, placeholder="variants under the same dropout", width=420,
        format_func=lambda key: edits[key][1].called(key) if key in edits else key,
        help=f"Up to {BESIDE} passes of each variant under the same dropout, against your sentence with dropout off.",
    )  # fmt: skip
kinds: dict[str, Row] = {}
for kind in present if alone and dropout.sites is None else []:
    if acting(model.sites, replace(dropout, sites=(kind,))) and (
        part := work.attempt(partial(drawn, passes=min(count, BESIDE), sites=(kind,)))
    ):
        kinds[kind] = replace(part.rows[0], title=f"only {kind}")
varied = [
    work.attempt(partial(results.passes_beside, model, compared, key, min(count, BESIDE), dropout)) for key in picked
]
edited = in_one_row(compared, EDITS)
study = arranged(own, [first, *kinds.values(), *filter(None, varied), edited])
title = tables.scatter_finding(kinds, first, edited)
acts = dict.fromkeys([first.name, *(row.name for row in varied if row)], dropout)
dots(model, study, title, acts | {row.name: replace(dropout, sites=(kind,)) for kind, row in kinds.items()})
with refused:
    subject.say_refused(TAKEN)
# The passes of the sentence label by label, and how the estimate of their flip rate settles.
names, off = documents.unique(own.labels), own.reference.probabilities
top = int(off.argmax())
mean, std = first.spread(top)
said = f"\u201c{shortened(names[top], 16)}\u201d: {mean:.3f} \u00b1 {std:.3f}, dropout off {off[top]:.3f}"
left, right = st.columns(2)
with left:
    plots.show(
        charts.pass_distribution(
            first.probabilities, off, names, title=said, dark=plots.dark(), has_labels=own.head.has_labels
        ),
        "distribution",
        "wobble-dropout-distribution",
        f"Every pass a dot, and their density: {said}",
    )
if first.flip_interval is None:
    right.caption(
        "A regression head gives a value: it has no label to flip, so there is no flip rate, entropy or vote."
    )
else:
    low, high = first.flip_interval
    settled = f"After {first.tried:,} passes the flip rate is {first.flip_rate:.0%}, {low:.0%} to {high:.0%}"
    with right:
        plots.show(
            charts.settling(over_passes.flips(first), wilson, title=settled, dark=plots.dark()),
            "settling",
            "wobble-dropout-settling",
            f"How the estimate settles as passes grow: {settled}",
        )
    measures = over_passes.measures(first, own.reference)
    intervals = ["" if one.interval is None else " ({:.4f} to {:.4f})".format(*one.interval) for one in measures]
    st.html(
        markup.table_html(
            MEASURES,
            [
                (
                    f"<b>{one.name}</b>",
                    f"<b>{one.value:.4f}</b>{interval}",
                    f"{one.off:.4f}",
                    escape(one.formula),
                    escape(one.reading),
                )
                for one, interval in zip(measures, intervals, strict=True)
            ],
        )
    )
if acting(model.sites, Dropout()) and controls.switch(
    "What if someone forgot model.eval()?", "forgot",
    help="Ten single calls of a model that was left in train mode, with the checkpoint's own rates.",
) and (calls := work.attempt(partial(run, passes=10, seed=seed + 1))):  # fmt: skip
    row = calls.rows[0]
    shown: list[Reference | Case] = [calls.reference, *row.cases]
    before, *answers = (f"{one.label:12} {one.probabilities.max():.4f}" for one in shown)
    called = [f">>> classifier(sentence)   # call {number}\n{said}" for number, said in enumerate(answers, start=1)]
    st.code(
        "\n".join([f">>> model.eval(); classifier(sentence)\n{before}", ">>> model.train()", *called]),
        language="python",
        wrap_lines=True,
    )
    said = "all 10 keep the label, and the probability moves"
    if row.flips is None:
        said = "each gives another value"
    elif row.flips:
        said = f"{row.flips} of 10 {verb(row.flips, 'gives', 'give')} another label than model.eval() does"
    st.caption(
        f"Ten single calls of one sentence, with the checkpoint's own rates: {said}. from\\_pretrained returns a model in "
        "eval mode; a constructor, from\\_config and trainer code leave it in train mode, and then every call "
        "is one of these passes."
    )
inventory(model)
# The passes of every row; the edits are those of the Perturb page.
passes = arranged(study, [row for row in study.rows if not row.factor.edits])
take_away.downloads(
    ("CSV", "wobble-dropout.csv", lambda: tables.cases_frame(passes)),
    ("Parquet", "wobble-dropout.parquet", lambda: tables.cases_frame(passes)),
    (
        "JSON of the run",
        "wobble-dropout.json",
        lambda: (
            documents.passes_document(model, study, dropout)
            | {"rows": tables.records(tables.scatter_frame(study.rows))}
        ),
    ),
    ("Chart (HTML)", "wobble-dropout.html", partial(strip.figure, study, title=title)),
)
st.caption("PNG: the camera at the top right of each chart. The table holds every pass of every row of the strip.")
script = scripts.dropout_script(model, text, count, dropout, temperature)
if script is None:
    st.caption("No script for this choice: plain transformers cannot switch off these sites alone.")
else:
    take_away.code(partial(str, script), "every pass and its measures")
