"""One sentence in, one verdict out: every factor on one scale, the culprit named, and the way to the page that explains it."""

import json
import time
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data.snippets import gallery
from core.factors.dropout import Dropout
from core.models.classifier import Classifier
from core.studies.profile import FACTORS, TEMPERATURES, FactorRow, Profile, described
from core.studies.shortest import BUDGET, shortest_flip
from core.studies.verdict import verdict
from core.text.visible import visible
from core.views import tables
from core.views.documents import profile_document
from core.views.html import visible_html
from core.views.report import figure, report
from core.views.scripts import (
    dropout_script,
    edits_script,
    numerics_script,
    predict_script,
    seeds_script,
    temperature_script,
)
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, work

TITLE = "Overview"
ICON = ":material/bolt:"
QUESTION = "Can I trust this prediction? Every factor on one scale, the culprit named."

PAGES: Mapping[str, str] = {
    "dropout": "pages/dropout.py",
    "temperature": "pages/temperature.py",
    "seed": "pages/seeds.py",
    "numerics": "pages/numerics.py",
}
"""Where a factor is explained; all others on Perturb."""
UNITS = {"dropout": "passes", "seed": "seeds", "numerics": "conditions", "temperature": "temperatures"}
RECENT = 8
# Between two drawings of a profile that still grows.
REDRAW = 0.4


def headline(found: Profile, model: Classifier) -> None:
    """Verdict and prediction: what one sees first."""
    left, right = st.columns([3.4, 1.2], vertical_alignment="center")
    reference = found.reference
    said = verdict(found).text if found.complete else "Trying every factor …"
    asked = "" if not found.complete else f" {found.tried:,} conditions tried, {found.flips} flip."
    if found.head == "regression" and found.complete:
        asked = f" {found.tried:,} conditions tried."
    left.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(reference.text, 160)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(reference.label)}</b> by {escape(model.id)}.{asked} "
        f"{markup.noise_floor_html(found.noise_floor)}</p>{markup.truncated_html(reference.encoding)}"
    )
    right.html(markup.bars_html(found.labels, reference.probabilities, found.head))


def draw(place: DeltaGenerator, found: Profile, model: Classifier, other: Profile | None) -> go.Figure:
    """The first screen, as far as the profile has grown."""
    strip = figure(found, beside=other, title="", dark=charts.dark())
    with place.container():
        headline(found, model)
        if other is not None:
            st.html(
                f"<p class='w-line'><b>{escape(other.model)}</b>: {escape(verdict(other).text)} <span class='w-faint'>Each "
                "model's margins are those of its own label; the dotted line is the first model's.</span></p>"
            )
        ready = len(found.factors)
        st.plotly_chart(
            strip,
            key="overview strip" if found.complete else f"overview strip {ready}",
            config=charts.chart("wobble-overview"),
            alt=verdict(found).text if found.complete else f"{ready} of {len(FACTORS)} factors are ready",
        )
        # The place is there even when nothing stands in it: what was drawn earlier in the same run would stay otherwise.
        running = st.empty()
        if not found.complete:
            waiting = [factor for factor in FACTORS if factor not in {row.factor for row in found.factors}]
            running.caption(f"Still running: {', '.join(waiting)}.")
    return strip


def grown(model: Classifier, text: str, place: DeltaGenerator, other: Profile | None) -> tuple[Profile, go.Figure]:
    """The complete profile, drawn factor by factor on the way."""
    drawn, strip = float("-inf"), go.Figure()
    for found in results.profiles_of(model, text):
        if found.complete or time.monotonic() - drawn > REDRAW:
            strip = draw(place, found, model, other)
            drawn = time.monotonic()
    return found, strip


def card(row: FactorRow, found: Profile) -> None:
    """One factor: how much of it flips, and its worst case as before and after."""
    with st.container(border=True, height="stretch"):
        flips = row.flips or 0
        if not row.cases:
            said = ""
        elif found.head == "regression":
            said = f"{row.tried} tried, largest shift {row.largest_shift:.3g}"
        else:
            said = f"<b>{flips}</b> of {row.tried} flip" + (f", {row.absorbed} erased" if row.absorbed else "")
        interval = row.flip_interval
        title = (
            f"Flip rate {row.flip_rate:.1%} (95 % interval {interval[0]:.1%} to {interval[1]:.1%}); "
            f"largest shift {row.largest_shift:.3g}, median {row.median_shift:.3g}"
            if interval and row.flip_rate is not None
            else ""
        )
        badge = "<span class='w-badge flips'>flips</span> " if flips else ""
        st.html(
            f"<div class='w-card'><h4>{escape(row.factor)}</h4><p class='said' title='{escape(title)}'>{badge}{said}</p>"
            f"{worst_case(row, found)}</div>"
        )
        for note in row.notes[:2] if row.factor not in ("numerics",) else row.notes[:1]:
            st.caption(markup.escape_markdown(note))
        page = PAGES.get(row.factor, "pages/perturb.py")
        st.page_link(
            page, label=f"Explain {row.factor}", icon=":material/arrow_forward:", query_params=worst_opened(row, found),
            help="Opens the page with this sentence and model, and the case above where it can be opened.",
        )  # fmt: skip


def worst_opened(row: FactorRow, found: Profile) -> dict[str, str]:
    """What the link to a factor's page asks for beyond sentence and model: its worst case, opened."""
    worst, query = row.worst, {} if row.factor in PAGES else {"factor": row.factor}
    if worst is None:
        return query
    if worst.row is not None:
        name = next(name for name, row in tables.keys(found.comparison).items() if row is worst.row)
        return query | {"variant": name}
    if worst.pass_ is not None:
        return query | {"dot": f"{tables.ALL_ON}, pass {worst.pass_}"}
    return query | ({} if worst.seed is None else {"member": tables.member_said(worst.seed)})


def worst_case(row: FactorRow, found: Profile) -> str:
    """Before and after of the case that goes furthest."""
    worst = row.worst
    if worst is None:
        # A temperature moves every probability, and no label: its note says so.
        return (
            ""
            if not row.cases or row.factor == "temperature"
            else "<p class='after w-faint'>Nothing here moves it beyond the noise floor.</p>"
        )
    name = described(worst)
    if worst.row is None:
        after = ""
    else:
        chips = [
            f"<span class='w-token {state}'>{escape(token)}</span>"
            for token, _, state in tables.token_states(worst.row, found.reference.encoding)[:40]
            if state != "special"
        ]
        after = f"<div class='w-tokens after'>{''.join(chips)}</div>"
    verb = "Furthest" if worst.flip or found.head == "regression" else "Nearest to flipping"
    before = found.reference
    return (
        f"<p class='after'>{verb}: <b>{escape(name)}</b></p>"
        f"<p class='said'>{escape(before.label)}{top(before.probabilities, found)} → <b>{escape(worst.label)}</b>"
        f"{top(worst.probabilities, found)}</p>{after}"
        f"{markup.bars_html(found.labels, worst.probabilities, found.head, top=2)}"
    )


def top(p: np.ndarray, found: Profile) -> str:
    """The largest probability, to stand behind a label; nothing for heads with several labels or none."""
    return f" {p.max():.3f}" if found.head == "softmax" else ""


def shortest(model: Classifier, text: str) -> None:
    """The smallest set of formatting edits that flips the sentence, searched when it is asked for."""
    st.subheader("The shortest flip")
    if model.head == "regression":
        st.caption("A value has no label to flip.")
        return
    if not controls.switch(
        "Search for the smallest set of formatting edits that flips it", "shortest",
        help=f"Single edits, then pairs and triples, the most promising first: at most {BUDGET} token sequences.",
    ):  # fmt: skip
        return
    found = work.attempt(
        lambda: work.long_work(
            ("shortest", *results.identity(model), text),
            "token sequences",
            lambda progress: shortest_flip(model, text, progress=progress),
        )
    )
    if found is None:
        return
    st.html(f"<p class='w-line'><b>{escape(found.finding)}</b></p>")
    for flip in found.flips[:3]:
        names = " + ".join(flip.names)
        st.html(
            f"<p class='w-line'><span class='w-text'>{visible_html(flip.text, 400)}</span> <span class='w-faint'>"
            f"{escape(names)}</span></p>{markup.bars_html(model.labels, flip.probabilities, model.head)}"
        )
    if found.flips:
        take_away.code(lambda: predict_script(model, [text, *(flip.text for flip in found.flips[:3])]), name="shortest")


def remember(text: str) -> None:
    """Keep the sentences of this session, the latest first."""
    recent = [text, *(one for one in st.session_state.get("recent", []) if one != text)]
    st.session_state.recent = recent[: RECENT + 1]


def choices(title: str, texts: Sequence[tuple[str, str]], key: str) -> None:
    """Sentences, one click each."""
    if not texts:
        return
    st.markdown(f"**{title}**")
    with st.container(horizontal=True):
        for number, (text, why) in enumerate(texts):
            shown = visible(text) if len(text) <= 60 else f"{visible(text[:59])}…"
            state.button(shown, f"take {key} {number}", why, plain=True, sentence=text)


def downloads(model: Classifier, found: Profile, strip: go.Figure) -> None:
    """Everything that can be taken along."""
    with st.container(horizontal=True):
        take_away.download("Report (HTML)", "wobble-report.html", lambda: report(model, found))
        take_away.download(
            "Record (JSON)",
            "wobble-profile.json",
            lambda: json.dumps(profile_document(found), ensure_ascii=False).encode(),
        )
        take_away.download(
            "CSV", "wobble-profile.csv", lambda: tables.profile_strip_frame(found).to_csv(index=False).encode()
        )
        take_away.download("Chart (HTML)", "wobble-overview.html", lambda: strip.to_html(include_plotlyjs=True))
    st.caption(
        f"The record holds everything: `python -m core replay wobble-profile.json` recomputes it and says where it differs. "
        f"{found.rows_asked:,} rows asked, {found.rows_run:,} run, {found.seconds:.1f} s."
    )


def scripts(model: Classifier, found: Profile) -> dict[str, str]:
    """A script for each kind of factor; together they print every number of the profile."""
    edits = {row.factor: [case.row.variant.text for case in row.cases if case.row is not None] for row in found.factors}
    made = {
        "edits": edits_script(model, found.reference.text, {factor: texts for factor, texts in edits.items() if texts})
    }
    if found["dropout"].cases:
        passes = dropout_script(model, found.reference.text, found.passes, Dropout(found.seed))
        made |= {"dropout": passes} if passes is not None else {}
    if found["temperature"].cases:
        made["temperature"] = temperature_script(model, [found.reference.text], [1.0, *TEMPERATURES])
    if found.family is not None:
        made["seed"] = seeds_script(results.family(found.family), found.reference.text)
    return made | {"numerics": numerics_script(model, found.numerics)}


text = subject.sentence()
loading = st.empty()
loading.html(
    f"<p class='w-verdict'>Every factor on your sentence …</p><p class='w-line'><span class='w-text'>"
    f"{visible_html(text, 300)}</span></p><p class='w-line w-faint'>White space, casing, punctuation, Unicode, typos, "
    "dropout, temperature, training seeds and numerics: what flips the prediction, what only shakes it, what cannot matter.</p>"
)
try:
    models = subject.chosen_models()
finally:
    loading.empty()
remember(text)
place = st.empty()
other: Profile | None = None
if len(models) > 1:
    *_, other = results.profiles_of(models[1], text)
    if len(models) > 2:
        st.caption("Two models are compared here: the first two that are chosen.")
outcome = work.attempt(lambda: grown(models[0], text, place, other))
if outcome is None:
    st.stop()
profile, strip = outcome
columns = st.columns(3)
order = sorted(profile.factors, key=lambda row: (-(row.flip_rate or 0.0), FACTORS.index(row.factor)))
for number, row in enumerate(order):
    with columns[number % 3]:
        card(row, profile)
with st.expander("The evidence behind each clause of the verdict", icon=":material/fact_check:"):
    for clause in verdict(profile).clauses:
        st.html(f"<p class='w-line'>{escape(clause.said)} <span class='w-faint'>({escape(clause.evidence)})</span></p>")
shortest(models[0], text)
st.subheader("Try another sentence")
choices("Examples", [(example.text, example.why) for example in gallery()], "example")
choices("Recent", [(one, "") for one in st.session_state.recent[1:]], "recent")
downloads(models[0], profile, strip)
take_away.code(lambda: scripts(models[0], profile))
