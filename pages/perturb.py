"""One sentence, every formatting edit: which the tokenizer erases, which reach the model, which flip it."""

import json
from collections.abc import Sequence
from functools import partial
from html import escape

import streamlit as st

from core.factors.formatting import CUSTOM
from core.models.classifier import Classifier
from core.studies.study import Study
from core.studies.verdict import summary
from core.views import tables
from core.views.documents import comparison_document
from core.views.html import visible_html
from core.views.scripts import predict_script
from core.views.strip import figure
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, variants_table, work

TITLE = "Perturb"
ICON = ":material/edit_note:"
QUESTION = (
    "Which edits of white space, casing and punctuation does the tokenizer erase, which reach the model, which flip it?"
)
FACTORS = ("whitespace", "casing", "punctuation", "unicode", "typo")
OPENS = {"factor": "{factor}", "variant": "{case}"}

OWN_HELP = (
    "One edit a line. Write \\n for a newline, \\t for a tab, \\u00a0 for a no-break space, \\\\ for a backslash."
)


def reference(study: Study, among: int) -> None:
    """The finding first, then the reference that everything is compared with; one of several models is named first."""
    found = study.reference
    margin = "" if found.margin is None else f", margin {found.margin:+.3f}"
    if study.temperature != 1:
        margin += f" at T = {study.temperature:g}"
    if among > 1:
        st.html(f"<p class='w-line'><b>{escape(study.model)}</b></p>")
        left = right = st.container()
    else:
        left, right = st.columns([3, 1.2], vertical_alignment="center")
    left.html(
        f"<p class='w-verdict{' small' if among > 1 else ''}'>{escape(summary(study))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(found.text, 300)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(found.label)}</b>{margin} by {escape(study.model)} on "
        f"{escape(study.device)}. {markup.noise_floor_html(study.noise_floor)}</p>{markup.truncated_html(found.encoding)}"
    )
    right.html(markup.bars_html(study.labels, found.probabilities, study.head))


def downloads(studies: Sequence[Study]) -> None:
    """Everything on the page to take away; made when it is asked for."""
    with st.container(horizontal=True):
        frame = partial(tables.cases_frame, *studies)
        take_away.download("CSV", "wobble-perturb.csv", lambda: frame().to_csv(index=False).encode())
        take_away.download("Parquet", "wobble-perturb.parquet", lambda: frame().to_parquet(index=False))
        take_away.download(
            "JSON of the run",
            "wobble-perturb.json",
            lambda: json.dumps([comparison_document(study) for study in studies], ensure_ascii=False).encode(),
        )
        for study in studies:
            take_away.chart(f"Chart of {study.model} (HTML)", "wobble-perturb.html", partial(figure, study))
    st.caption("PNG: the camera at the top right of each chart.")


def compared(model: Classifier) -> Study:
    """The edits under one model; the same for all, so that their answers stand side by side."""
    return results.compared(model, text, own, temperature, results.read_by(models, text))


text, temperature = subject.sentence(), state.current().temperature
models = subject.chosen_models()
with st.sidebar:
    lines = controls.text("Your own edits", "own", area=True, height=80, placeholder="One edit a line", help=OWN_HELP)
own = tables.own_edits(lines)
with st.spinner("Running the variants …"):
    tried = [work.attempt(partial(compared, model)) for model in models]
found: list[Study] = [study for study in tried if study is not None]
if not found:
    st.stop()
strips = [f"strip {place}" for place in range(len(found))]
for column, key, study in zip(st.columns(len(found)), strips, found, strict=True):
    with column:
        reference(study, len(found))
        st.plotly_chart(
            figure(study, title_width=84 // len(found), dark=charts.dark()),
            key=key,
            on_select="rerun",
            selection_mode="points",
            config=charts.chart("wobble-perturb"),
            alt=f"Margin strip of {study.model}: {summary(study)}",
        )
variants_table.section(found, strips, "variant", "variant", (*FACTORS, CUSTOM.name))
downloads(found)
shown = [text, *dict.fromkeys(case.text for case in found[0].cases)]
for model in models:
    take_away.code(partial(predict_script, model, shown, temperature), name="" if len(models) == 1 else model.id)
