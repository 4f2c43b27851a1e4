"""The cleaning that people put before the tokenizer: each step and the usual chains, and a chain of one's own."""

from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import streamlit as st

from core.base.words import listed, plural, tempered
from core.studies import steps
from core.studies.study import NOT_COUNTED
from core.text.perturb import preprocessing
from core.text.truncation import why_not
from core.views import documents, scripts, strip, tables
from pages import controls, state
from pages.parts import markup, opened, pinned, plots, results, subject, take_away, variants_table, work

PAGE = {
    "title": "Preprocessing",
    "icon": ":material/cleaning_services:",
    "question": "What if another pipeline cleaned the text before the tokenizer?",
    "factors": ("preprocessing",),
    "opens": {"step": "{case}"},
}

STRIP = "preprocessing strip"


def one_step(number: int, step: steps.Step, found: steps.Chained) -> None:
    """A step of the chain: the text after it, and what the model makes of that."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{number}. {markup.escape_markdown(steps.RULES[step.name].description)}**", width="stretch")
        if number > 1:
            names = list(found.chain.steps)
            names[number - 2 : number] = reversed(names[number - 2 : number])
            state.button("Move up", f"move {step.name}", f"Run it before step {number - 1}", chain=names)
    left, right = st.columns([3, 1.4], vertical_alignment="center")
    unchanged = "<p class='w-line w-faint'>Leaves the text as it is.</p>" if step.after == step.before else ""
    marked = markup.changed_html(step.after, step.before, 1000) or "<i>(an empty text)</i>"
    left.html(f"<p class='w-text w-step'>{marked}</p>{unchanged}")
    reference, case = found.study.reference, step.case
    if case is None:
        right.html(f"<p class='w-line'><b>{escape(reference.label)}</b>, like your sentence</p>")
    else:
        right.html(
            f"<p class='w-line'><b>{escape(case.label)}</b>, shift {case.shift:.3f} "
            f"{markup.badge_html(found.study.rows[0].fate(case))}</p>"
            f"{markup.bars_html(reference.labels, case.probabilities, reference.head, top=2)}"
        )


text, temperature = subject.sentence(), state.current().temperature
head = work.header("Running the steps")
model = subject.one_model()
study = work.needed(partial(results.cleaned, model, text, temperature))
finding = steps.steps_finding(study)
with work.headed(head):
    subject.headline(study, finding, tempered(temperature))
pinned.bars([model])


def draw(marked: str) -> None:
    """The strip, with a ring around the step that is opened."""
    figure, legend = strip.figure(study, title="", dark=plots.dark(), marked=marked), strip.legend_html(study)
    plots.show(figure, STRIP, "wobble-preprocessing", finding, opens=True, legend=legend)


if study.cases:
    variants_table.section([study], draw, opened.scripts_of(model), [STRIP], "step", "step")
if shared := steps.made_by_edits(study):
    st.caption(
        f"{plural(shared, 'of these also makes', 'of these also make')} the text of an edit: the Overview and Perturb count "
        f"{'it' if shared == 1 else 'them'} there."
    )
if NOT_COUNTED in study:
    names = listed([f"“{tables.described(case)}”" for case in study[NOT_COUNTED].cases])
    said = f"Shown, but not counted, because what is left can say something else: {names}. {preprocessing.SOURCE}"
    st.caption(markup.escape_markdown(said))
if idle := results.idle(model, text):
    st.caption(markup.escape_markdown(f"These leave this text as it is: {'; '.join(idle)}."))
for note in (note for row in study.rows for note in row.notes):
    st.caption(markup.escape_markdown(note))
if reason := why_not(model.encoder):
    st.caption(markup.escape_markdown(f"Nothing is truncated here: {reason}"))
st.subheader("A chain of your own")
st.caption("Start from a usual chain, or choose steps below.")
with st.container(horizontal=True):
    for name, usual in preprocessing.CHAINS.items():
        state.button(steps.RULES[name].description, f"take {name}", chain=list(usual.steps))
chosen = controls.several(
    "Steps, in the order in which they run",
    "chain",
    [rule.name for rule in preprocessing.steps() if not (rule.needs_cut and why_not(model.encoder))],
    st.multiselect,
    format_func=lambda name: steps.RULES[name].description,
    placeholder="Choose the first step",
)
subject.say_refused({"chain": "a preprocessing step", "step": "a step that changes this text"})
found = None
if chosen:
    url, mention = preprocessing.URL_PLACEHOLDER, preprocessing.MENTION_PLACEHOLDER
    with st.container(horizontal=True):
        if "clean_urls" in chosen:
            url = controls.text("Placeholder for a link", "url", url, width=220)
        if "clean_mentions" in chosen:
            mention = controls.text("Placeholder for a mention", "mention", mention, width=220)
    chain = preprocessing.Chain(tuple(chosen), url, mention)
    found = work.attempt(partial(results.through, model, text, chain, temperature))
else:
    st.caption("No step yet: your sentence reaches the tokenizer as it is.")
if found:
    for number, step in enumerate(found.steps, start=1):
        with st.container(border=True):
            one_step(number, step, found)
    if (last := found.steps[-1].case) is None:
        st.info("This chain leaves your sentence as it is, so nothing can change.", icon=":material/check:")
    else:
        said = tables.explanation(last, found.study)
        st.html(f"<p class='w-line'><b>After the chain.</b> {escape(said)}</p>")
        opened.compared(found.study.reference, last, "After the chain")
    st.markdown("**The chain as code**")
    st.code(scripts.chain_script(model, found.chain, text), language="python", wrap_lines=True)
studies, own = ([study, found.study], {"chain": documents.chain_document(found)}) if found else ([study], {})
take_away.downloads(
    ("CSV", "wobble-preprocessing.csv", lambda: tables.cases_frame(*studies)),
    ("JSON", "wobble-preprocessing.json", lambda: documents.comparison_document(study) | own),
    ("Chart (HTML)", "wobble-preprocessing.html", partial(strip.figure, study, title=finding)),
)
shown = [text, *dict.fromkeys(case.text for one in studies for case in one.cases)]
take_away.code(partial(scripts.predict_script, model, shown, temperature), "the probabilities after each step")
