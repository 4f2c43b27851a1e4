"""The cleaning that people put before the tokenizer: each step and the usual chains, and a chain of one's own."""

import json
from functools import partial
from html import escape

import streamlit as st

from core.base.words import listed
from core.models.classifier import Classifier
from core.studies.steps import NOT_COUNTED, RULES, Chained, Step, idle_steps, steps_finding
from core.studies.study import Study
from core.text.perturb.preprocessing import CHAINS, MENTION_PLACEHOLDER, SOURCE, URL_PLACEHOLDER, Chain, steps
from core.text.truncation import why_not
from core.views import tables
from core.views.documents import chain_document, comparison_document
from core.views.html import visible_html
from core.views.scripts import predict_script
from core.views.scripts.chain import chain_code
from core.views.scripts.render import tokenizer_of
from core.views.strip import figure
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, variants_table, work

TITLE = "Preprocessing"
ICON = ":material/cleaning_services:"
QUESTION = "What if another pipeline cleaned the text before the tokenizer?"
FACTORS = ("preprocessing",)
OPENS = {"step": "{case}"}

STRIP = "preprocessing strip"


def headline(study: Study) -> None:
    """The finding first, then the reference that everything is compared with."""
    found = study.reference
    left, right = st.columns([3, 1.2], vertical_alignment="center")
    tempered = "" if study.temperature == 1 else f" at T = {study.temperature:g}"
    left.html(
        f"<p class='w-verdict'>{escape(steps_finding(study))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(found.text, 300)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(found.label)}</b>{tempered} by {escape(study.model)}. "
        f"{markup.noise_floor_html(study.noise_floor)}</p>{markup.truncated_html(found.encoding)}"
    )
    right.html(markup.bars_html(study.labels, found.probabilities, study.head))


def usual(study: Study, model: Classifier) -> None:
    """The usual steps and chains that change the text, and what is to be said of the others."""
    if study.cases:
        st.plotly_chart(
            figure(study, title="", dark=charts.dark()),
            key=STRIP,
            on_select="rerun",
            selection_mode="points",
            config=charts.chart("wobble-preprocessing"),
            alt=steps_finding(study),
        )
        variants_table.section([study], [STRIP], "step", "step")
    if NOT_COUNTED.name in study:
        names = listed([f"“{tables.described(case)}”" for case in study[NOT_COUNTED.name].cases])
        said = f"Shown, but not counted, because what is left can say something else: {names}. {SOURCE}"
        st.caption(markup.escape_markdown(said))
    if idle := idle_steps(study):
        st.caption(markup.escape_markdown(f"These leave this text as it is: {'; '.join(idle)}."))
    if reason := why_not(model.encoder):
        st.caption(markup.escape_markdown(f"Nothing is truncated here: {reason}"))


def builder(model: Classifier) -> Chain | None:
    """The controls of the person's own chain; None while it has no step."""
    st.subheader("A chain of your own")
    offered = [rule.name for rule in steps() if not (rule.needs_cut and why_not(model.encoder))]
    st.caption("Start from a usual chain, or choose steps below.")
    with st.container(horizontal=True):
        for name, usual_chain in CHAINS.items():
            state.button(RULES[name].description, f"take {name}", chain=list(usual_chain.steps))
    chosen = controls.several(
        "Steps, in the order in which they run",
        "chain",
        offered,
        st.multiselect,
        format_func=lambda name: RULES[name].description,
        placeholder="Choose the first step",
    )
    subject.say_refused({"chain": "a preprocessing step", "step": "a step that changes this text"})
    if not chosen:
        return None
    url, mention = URL_PLACEHOLDER, MENTION_PLACEHOLDER
    with st.container(horizontal=True):
        if "clean_urls" in chosen:
            url = controls.text("Placeholder for a link", "url", URL_PLACEHOLDER, width=220)
        if "clean_mentions" in chosen:
            mention = controls.text("Placeholder for a mention", "mention", MENTION_PLACEHOLDER, width=220)
    return Chain(tuple(chosen), url, mention)


def one_step(number: int, step: Step, found: Chained) -> None:
    """A step of the chain: the text after it, and what the model makes of that."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{number}. {markup.escape_markdown(RULES[step.name].description)}**", width="stretch")
            if number > 1:
                names = list(found.chain.steps)
                names[number - 2 : number] = reversed(names[number - 2 : number])
                state.button("Move up", f"move {step.name}", f"Run it before step {number - 1}", chain=names)
        left, right = st.columns([3, 1.4], vertical_alignment="center")
        unchanged = "<p class='w-line w-faint'>Leaves the text as it is.</p>" if step.after == step.before else ""
        marked = markup.marked_html(tables.marked_text(step.after, step.before, 1000)) or "<i>(an empty text)</i>"
        left.html(f"<p class='w-text w-step'>{marked}</p>{unchanged}")
        reference, case = found.study.reference, step.case
        if case is None:
            right.html(f"<p class='w-line'><b>{escape(reference.label)}</b>, as your sentence</p>")
            return
        fate = tables.fate_of(found.study.rows[0], case)
        badge = f"<span class='w-badge {fate.split()[0]}'>{fate}</span>"
        right.html(
            f"<p class='w-line'><b>{escape(case.label)}</b>, shift {case.shift:.3f} {badge}</p>"
            f"{markup.bars_html(reference.labels, case.probabilities, reference.head, top=2)}"
        )


def own(found: Chained, model: Classifier) -> None:
    """The person's chain step by step, its result beside the sentence, and the chain as code."""
    for number, step in enumerate(found.steps, start=1):
        one_step(number, step, found)
    last = found.steps[-1]
    if last.case is None:
        st.info("This chain leaves your sentence as it is, so nothing can change.", icon=":material/check:")
    else:
        said = tables.explanation(last.case)
        st.html(f"<p class='w-line'><b>After the chain.</b> {escape(said)}</p>")
        variants_table.beside(found.study.reference, last.case, "After the chain")
    st.markdown("**The chain as code**")
    tokenizer = tokenizer_of(model) if found.chain.needs_cut else None
    st.code(chain_code(found.chain, found.study.reference.text, tokenizer), language="python")


def downloads(study: Study, found: Chained | None) -> None:
    """Everything on the page to take away; made when it is asked for."""
    studies = [study] if found is None else [study, found.study]

    def record() -> bytes:
        document = comparison_document(study) | ({} if found is None else {"chain": chain_document(found)})
        return json.dumps(document, ensure_ascii=False).encode()

    with st.container(horizontal=True):
        take_away.download(
            "CSV", "wobble-preprocessing.csv", lambda: tables.cases_frame(*studies).to_csv(index=False).encode()
        )
        take_away.download("JSON", "wobble-preprocessing.json", record)
        take_away.chart("Chart (HTML)", "wobble-preprocessing.html", partial(figure, study, title=steps_finding(study)))


text, temperature = subject.sentence(), state.current().temperature
model = subject.one_model()
study: Study | None = work.attempt(partial(results.cleaned, model, text, temperature))
if study is None:
    st.stop()
headline(study)
usual(study, model)
chain = builder(model)
found: Chained | None = None
if chain is None:
    st.caption("No step yet: your sentence reaches the tokenizer as it is.")
else:
    found = work.attempt(partial(results.through, model, text, chain, temperature))
if found is not None:
    own(found, model)
downloads(study, found)
shown = [case.text for one in (study, found and found.study) if one for case in one.cases]
take_away.code(partial(predict_script, model, [text, *dict.fromkeys(shown)], temperature))
