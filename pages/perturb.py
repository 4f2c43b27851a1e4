"""One sentence, every formatting edit: which the tokenizer absorbs, which reach the model, which flip it."""

from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import streamlit as st

from core.base.words import tempered
from core.factors.formatting import CUSTOM
from core.studies.verdict import summary
from core.text.perturb import FORMATTING
from core.views import documents, scripts, strip, tables
from pages import controls, state
from pages.parts import plots, results, subject, take_away, variants_table, work

PAGE = {
    "title": "Perturb",
    "icon": ":material/edit_note:",
    "question": "Which edits of white space, casing and punctuation does the tokenizer absorb, which reach the model, "
    "which flip it?",
    "factors": ("whitespace", "casing", "punctuation", "unicode", "typo"),
    "opens": {"factor": "{factor}", "variant": "{case}"},
}

text, temperature = subject.sentence(), state.current().temperature
models = subject.chosen_models()
with st.sidebar:
    lines = controls.text(
        "Your own edits", "own", area=True, height=80, placeholder="One edit a line",
        help="One edit a line. Write \\n for a newline, \\t for a tab, \\u00a0 for a no-break space, \\\\ for a backslash.",
    )  # fmt: skip
# The same edits for all models, so that their answers stand side by side.
shared = tables.own_edits(lines), temperature, results.read_by(models, text)
with st.spinner("Running the variants …"):
    tried = [work.attempt(partial(results.compared, model, text, *shared)) for model in models]
found = [study for study in tried if study is not None]
if not found:
    work.end()
alone = len(found) == 1
for place, (column, study) in enumerate(zip(st.columns(len(found)), found, strict=True)):
    with column:
        reference = study.reference
        margin = "" if reference.margin is None else f", margin {reference.margin:+.3f}"
        if not alone:
            st.html(f"<p class='w-line'><b>{escape(study.model)}</b></p>")
        subject.headline(
            study, summary(study), f"{margin}{tempered(temperature)}", f" on {escape(study.device)}", beside=alone
        )
        plots.show(
            strip.figure(study, title_width=84 // len(found), dark=plots.dark()),
            f"strip {place}",
            "wobble-perturb",
            f"Margin strip of {study.model}: {summary(study)}",
            opens=True,
        )
strips = [f"strip {place}" for place in range(len(found))]
variants_table.section(found, strips, "variant", "variant", (*FORMATTING, "typo", CUSTOM.name))
take_away.downloads(
    ("CSV", "wobble-perturb.csv", lambda: tables.cases_frame(*found)),
    ("Parquet", "wobble-perturb.parquet", lambda: tables.cases_frame(*found)),
    ("JSON of the run", "wobble-perturb.json", lambda: [documents.comparison_document(study) for study in found]),
    *((f"Chart of {one.model} (HTML)", "wobble-perturb.html", partial(strip.figure, one)) for one in found),
)
st.caption("PNG: the camera at the top right of each chart.")
shown = [text, *dict.fromkeys(case.text for case in found[0].cases)]
for model in models:
    make = partial(scripts.predict_script, model, shown, temperature)
    take_away.code(make, name="" if len(models) == 1 else model.id)
