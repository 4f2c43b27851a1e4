"""The same sentence under conditions that are equal on paper: what rounding alone does, and the noise floor."""

from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import streamlit as st

from core.base.words import listed, plural, tempered
from core.factors import numerics
from core.factors.conditions import DTYPES, REFERENCE
from core.studies.study import arranged
from core.views import charts, documents, scripts, tables
from core.views.html import visible_html
from pages import state
from pages.parts import markup, opened, pinned, plots, results, subject, take_away, work

PAGE = {
    "title": "Numerics",
    "icon": ":material/functions:",
    "question": "Do padding, the other texts of the batch or half precision move it?",
    "factors": ("numerics",),
    "opens": {"condition": "{case}"},
}
CHART = "numerics shifts"

COLUMNS = (
    ("condition", "What differs from the reference: fp32, alone in its batch, without padding"),
    ("label", ""),
    ("p of {}", "Probability of the reference's most probable label"),
    ("logit difference", "Largest absolute difference of any logit from the reference's"),
    ("shift", "Total variation distance to the reference's probabilities, ½ Σ |p − q|"),
    ("flip", "Whether the predicted label differs from the reference's"),
)

FLIPPED = {True: "flips", False: "no", None: "–"}

text = subject.sentence()
head = work.header("Running the conditions")
model = subject.one_model()
study = work.needed(lambda: results.studied(model, text, "numerics", state.current().temperature))
(row,), reference = study.rows, study.reference
shown = arranged(study, numerics.by_dtype(row))
moved = ", ".join(f"{part.name} {part.largest_shift:.1e}" for part in shown.rows)
if row.flipping:
    said = f"Rounding flips this sentence: {', '.join(case.name for case in row.flipping)}."
elif risky := [dtype for dtype in DTYPES if numerics.can_flip(reference, row.cases, dtype)]:
    said = f"{listed(risky)} can flip this sentence: its logit margin is below twice the largest logit difference."
else:
    # The floor is a bound that follows from two conditions; what all of them do was measured here.
    said = f"Largest shift by rounding: {moved}. A shift of {study.noise_floor:.1e} or less means nothing."
logit_margin = study.head.logit_margin(reference.logits)
margin = "" if logit_margin is None else f" Logit margin {logit_margin:.3g}."
work.headed(head).html(
    f"<p class='w-verdict'>{escape(said)}</p>"
    f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
    f"<p class='w-line'>Predicted <b>{escape(reference.label)}</b>{tempered(study.temperature)} by "
    f"{escape(study.model)} on {escape(study.device)}. "
    f"{markup.noise_floor_html(study.noise_floor)}{margin}</p>"
    f"{markup.truncated_html(reference.encoding)}"
)
pinned.bars([model])
title, exact = f"Largest shift: {moved}", sum(case.shift == 0 for case in row.cases)


@st.fragment
def conditions() -> None:
    """The chart and the condition that is opened, which reruns only this."""

    def draw(marked: str) -> None:
        figure = charts.condition_shifts(study, row, title=title, dark=plots.dark(), marked=marked)
        plots.show(figure, CHART, "wobble-numerics", f"Shift of each condition: {moved}. {said}", opens=True)
        if exact:
            some = plural(len(row.cases), "condition")
            st.caption(f"{exact} of {some}: a shift of exactly 0, at the left edge of the chart.")

    opened.section([study], draw, opened.scripts_of(model), charts=[CHART], opens="condition")
    state.address("of the condition")


conditions()
top = int(reference.probabilities.argmax())
tried = [
    (REFERENCE.name, reference.label, reference.probabilities, 0.0, 0.0, None),
    *((one.name, one.label, one.probabilities, one.difference, one.shift, one.flip) for one in row.cases),
]
st.html(
    markup.table_html(
        [(name.format(study.labels[top]), meaning) for name, meaning in COLUMNS],
        [
            (escape(name), escape(label), f"{p[top]:.7f}", f"{difference:.1e}", f"{shift:.1e}", FLIPPED[flip])
            for name, label, p, difference, shift, flip in tried
        ],
    )
)
for note in row.notes:
    st.caption(markup.escape_markdown(note))
st.caption(
    "Sums of floating-point numbers depend on their order, and the order on the shape of the batch, the padding and the "
    "attention kernel. Differences of about 1e-6 are rounding; larger ones in fp32 would be a bug. With two logits that "
    "differ by less than twice the largest difference, rounding can swap them."
)
subject.say_refused({"condition": "a condition of this model"})
take_away.downloads(
    ("CSV", "wobble-numerics.csv", lambda: tables.strip_frame(shown)),
    ("JSON", "wobble-numerics.json", lambda: documents.numerics_document(study)),
    ("Chart (HTML)", "wobble-numerics.html", lambda: charts.condition_shifts(study, row, title=title)),
)
take_away.code(lambda: scripts.numerics_script(model, study), "every condition's shift")
