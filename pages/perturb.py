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
from core.views.html import visible_html
from pages import controls, state
from pages.parts import opened, pinned, plots, results, sidebar, subject, take_away, variants_table, work

PAGE = {
    "title": "Perturb",
    "icon": ":material/edit_note:",
    "question": "Which edits of white space, casing and punctuation does the tokenizer absorb, which reach the model, "
    "which flip it?",
    "factors": ("whitespace", "casing", "punctuation", "unicode", "typo"),
    "opens": {"factor": "{factor}", "variant": "{case}"},
}

text, temperature = subject.sentence(), state.current().temperature
head = work.header("Running the edits")
models = subject.chosen_models()
with sidebar.own():
    lines = controls.text(
        "Your own edits", "own", area=True, height=80, placeholder="One edit per line",
        help="One edit per line. Write \\n for a newline, \\t for a tab, \\u00a0 for a no-break space, \\\\ for a backslash.",
    )  # fmt: skip
# The same edits for all models, so that their answers stand side by side.
own = tables.own_edits(lines)
shared = own, temperature, results.read_by(models, text)
tried = [work.attempt(partial(results.compared, model, text, *shared)) for model in models]
found = [study for study in tried if study is not None]
if not found:
    work.end()
alone = len(found) == 1
pin = pinned.beside(models, results.edited)
with work.headed(head):
    if not alone:
        st.html(f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>")
    for column, study in zip(st.columns(len(found)), found, strict=True):
        with column:
            reference = study.reference
            margin = "" if reference.margin is None else f", margin {reference.margin:+.3f}"
            if not alone:
                st.html(f"<p class='w-line'><b>{escape(study.model)}</b></p>")
            subject.headline(
                study, summary(study), f"{margin}{tempered(temperature)}", f" on {escape(study.device)}", alone=alone
            )
    pinned.compared(pin, found)
# Values and margins have no axis in common.
by_axis = {
    "margins": [one for one in found if one.head.has_labels],
    "values": [one for one in found if not one.head.has_labels],
}
strips = {
    f"strip of {axis}": (*pinned.joined(studies, pin), pinned.edits(pin, studies))
    for axis, studies in by_axis.items()
    if studies
}


def draw(marked: str) -> None:
    """The strips, with a ring around the case that is opened."""
    for key, (studies, names, title) in strips.items():
        figure = strip.figure(
            studies[0], beside=studies[1:], names=names, title=title, dark=plots.dark(), marked=marked
        )
        alt = " ".join(f"{name}: {summary(one)}" for name, one in zip(names, studies, strict=True))
        plots.show(
            figure, key, "wobble-perturb", f"Margin strip. {alt}", opens=True, legend=strip.legend_html(*studies)
        )


filters = (*FORMATTING, "typo", *([CUSTOM.name] if own else []))
variants_table.section(found, draw, opened.scripts_of(*models), list(strips), "variant", "variant", filters)
take_away.downloads(
    ("CSV", "wobble-perturb.csv", lambda: tables.cases_frame(*found)),
    ("Parquet", "wobble-perturb.parquet", lambda: tables.cases_frame(*found)),
    ("JSON of the run", "wobble-perturb.json", lambda: [documents.comparison_document(study) for study in found]),
    *(
        (f"S{key[1:]} (HTML)", "wobble-perturb.html", partial(strip.figure, one, beside=rest, names=names, title=title))
        for key, ((one, *rest), names, title) in strips.items()
    ),
)
st.caption("PNG: the camera at the top right of each chart.")
shown = [text, *dict.fromkeys(case.text for case in found[0].cases)]
for model in models:
    make = partial(scripts.predict_script, model, shown, temperature)
    name = "" if len(models) == 1 else model.id
    take_away.code(make, f"every edit's probabilities, by {model.id}", name=name)
