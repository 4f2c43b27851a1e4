"""One sentence in, one verdict out: every factor on one scale, the culprit named, and a link to the page that explains it."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.words import shortened, tempered
from core.data.snippets import gallery
from core.factors.case import Row
from core.models.card import card as card_of
from core.models.classifier import Classifier
from core.studies.shortest import BUDGET
from core.studies.study import Study
from core.studies.verdict import edit_counts, in_all, summary, verdict
from core.text.visible import visible
from core.views import documents, report, scripts, strip, tables
from core.views.html import visible_html
from pages import controls, state
from pages.parts import markup, menu, opened, pinned, plots, results, subject, take_away, work
from pages.parts.verdict import agreement_html, verdict_html

PAGE = {
    "title": "Overview",
    "icon": ":material/bolt:",
    "question": "Can I trust this prediction? Every factor on one scale, the culprit named.",
}

RECENT = 8
STRIP = "overview strip"
# Seconds until a profile that still grows is drawn, and between two drawings of it.
REDRAW = 0.8
# Further ones stand in the report.
MOST_NOTES = 3


def say(models: Sequence[Classifier], profiles: Sequence[Study], pin: Study | None) -> None:
    """What stands above the strip, as far as the profiles have grown: verdict and prediction.

    Args:
        models: the chosen ones.
        profiles: of those that are there yet, the first model's among them.
        pin: what is pinned.
    """
    found, *others = profiles
    several, trained = len(models) > 1, card_of(models[0].source.top).said
    reference, cut = found.reference, markup.truncated_html(found.reference.encoding)
    said, counts = "<p class='w-verdict'>Trying every factor …</p>", ""
    if found.complete:
        # The verdict says how much of the text it speaks of, but where there is nothing to speak of.
        cut = cut if found.untrained else ""
        said, counts = (
            verdict_html(verdict(found), found.model if several else "Now" if pin else ""),
            f"<p class='w-line'>{escape(edit_counts(found))} {escape(in_all(found))}</p>",
        )
    left, right = st.columns([3.4, 1.2], vertical_alignment="center")
    left.html(
        f"{agreement_html(profiles) if len(profiles) == len(models) else ''}"
        f"{pinned.profiles_html(pin, profiles)}{said}"
        f"<p class='w-line'><span class='w-text'>{visible_html(reference.text, 160)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(reference.label)}</b>{tempered(found.temperature)} by "
        f"{escape(found.model)}. {markup.noise_floor_html(found.noise_floor)}</p>{counts}{cut}"
        f"<p class='w-line w-faint'>{escape(trained)}</p>"
    )
    for one in profiles:
        name = f"<p class='w-line w-faint'>{escape(one.model)}</p>" if several else "<b>Now</b>" if pin else ""
        right.html(name + markup.bars_html(one.labels, one.reference.probabilities, one.head))
    if pin:
        right.html(pinned.named_bars_html("Pinned", pin.reference))
    for one in others:
        st.html(f"<p class='w-line'><b>{escape(one.model)}</b>: {escape(summary(one))}</p>")
    if pin:
        st.html(verdict_html(verdict(pin), "Pinned"))
    if others:
        st.caption("Each model's margins are those of its own label.")


def on_strip(profiles: Sequence[Study], pin: Study | None) -> tuple[list[Study], list[str]]:
    """What can stand on one strip, and what each is called there: values and margins have no axis in common."""
    return pinned.joined([one for one in profiles if one.head.has_labels == profiles[0].head.has_labels], pin)


def picture(profiles: Sequence[Study], pin: Study | None, marked: str = "") -> go.Figure:
    """The strip."""
    (found, *beside), names = on_strip(profiles, pin)
    return strip.figure(found, beside=beside, names=names, title="", dark=plots.dark(), marked=marked)


def legend(profiles: Sequence[Study], pin: Study | None) -> str:
    """What the marks of the strip mean, as HTML."""
    return strip.legend_html(*on_strip(profiles, pin)[0])


def growing(models: Sequence[Classifier], profiles: Sequence[Study], pin: Study | None) -> None:
    """The strip of profiles that are not complete, and what is still to come."""
    found, there = profiles[0], {one.model for one in profiles}
    factors = [name for name in found.wanted if name not in found]
    missing = ", ".join([*factors, *(one.id for one in models if one.id not in there)])
    key = f"{STRIP} {len(found.rows)} {len(profiles)}"
    # In one place, as the complete strip: what is drawn earlier in a run stays wherever nothing later takes its place.
    with st.container():
        plots.show(picture(profiles, pin), key, "wobble-overview", summary(found), legend=legend(profiles, pin))
        st.caption(f"Still running: {markup.escape_markdown(missing)}.")


@st.fragment
def cases(models: Sequence[Classifier], profiles: Sequence[Study], pin: Study | None) -> None:
    """The strip of the complete profiles and the case that is opened, which reruns only this."""

    def draw(marked: str) -> None:
        shown = picture(profiles, pin, marked), STRIP, "wobble-overview", summary(profiles[0])
        plots.show(*shown, opens=True, legend=legend(profiles, pin))
        # Where it said what was still running.
        st.empty()

    opened.section(profiles, draw, opened.scripts_of(*models), charts=[STRIP], opens="case")
    state.address("of the case")


def grown(
    models: Sequence[Classifier],
    text: str,
    temperature: float,
    head: DeltaGenerator,
    place: DeltaGenerator,
    pin: Study | None,
) -> tuple[Study, ...]:
    """The complete profiles, drawn on the way: the first model's factor by factor, then with those of the others beside it.

    Args:
        head: the place of the verdict.
        place: the place of the strip.
    """
    drawn, answered = time.monotonic(), False
    said: DeltaGenerator | None = None
    for found in results.profiles_together(models, text, temperature):
        complete = found[0].complete
        # Not before there is something to say: until then the header says what runs.
        said = said or head.container().empty()
        if complete or time.monotonic() - drawn > REDRAW:
            if complete and not answered:
                # What it says stays, even where another model fails.
                answered = True
                work.answered()
            with said.container():
                say(models, found, pin)
            if not complete or len(found) < len(models):
                with place.container():
                    growing(models, found, pin)
            drawn = time.monotonic()
    return found


def card(row: Row, found: Study, keys: Mapping[int, str]) -> None:
    """One factor: how much of it flips, its worst case before and after, and a link to the page that explains it.

    Args:
        keys: of the cases in links, by identity.
    """
    badge, rates = f"{markup.badge_html('flips')} " if row.flips else "", ""
    if row.flip_rate is not None and row.flip_interval is not None:
        low, high = row.flip_interval
        rates = (
            f"Flip rate {row.flip_rate:.1%} (95% interval {low:.1%} to {high:.1%}); "
            f"largest shift {row.largest_shift:.3g}, median {row.median_shift:.3g}"
        )
    st.html(
        f"<div class='w-card'><h3>{escape(row.name)}</h3><p class='said' title='{escape(rates)}'>{badge}"
        f"{counts(row)}</p>{worst_case(row, found)}</div>"
    )
    for note in row.notes[:MOST_NOTES]:
        st.caption(markup.escape_markdown(note))
    if (page := menu.page_of(row.factor.name)) is not None:
        st.page_link(
            page.file,
            label=f"Explain {row.name}",
            icon=":material/arrow_forward:",
            query_params=page.opened(row.factor.name, keys.get(id(row.worst))),
            help="Opens the page with this sentence and model, and opens the case above there where that is possible.",
        )


def counts(row: Row) -> str:
    """What became of the cases of a row, as HTML; nothing where it has none."""
    if not row.cases:
        return ""
    first, *rest = strip.counted(row)
    number, _, words = first.partition(" ")
    moved = [] if row.largest_shift is None or row.flips is not None else [f"largest shift {row.largest_shift:.3g}"]
    return ", ".join([f"<b>{number}</b> {words}", *rest, *moved])


def worst_case(row: Row, found: Study) -> str:
    worst, before, head = row.worst, found.reference, found.head
    if worst is None:
        # What cannot flip may well move: its note says so.
        still = row.tried and row.factor.flips_count
        return "<p class='after w-faint'>Nothing here moves it beyond the noise floor.</p>" if still else ""
    verb = "Furthest" if worst.flip or not head.has_labels else "Nearest to flipping"
    old, new = (f" {p.max():.3f}" if head.exclusive else "" for p in (before.probabilities, worst.probabilities))
    chips = ""
    if worst.encoding.key != before.encoding.key:
        shown = "".join(
            f"<span class='w-token {state}'>{escape(token)}</span>"
            for token, _, state in tables.token_states(worst, before)[:40]
            if state != "special"
        )
        chips = f"<div class='w-tokens after'>{shown}</div>"
    return (
        f"<p class='after'>{verb}: <b>{escape(worst.made.said)}</b></p>"
        f"<p class='said'>{escape(before.label)}{old} → <b>{escape(worst.label)}</b>{new}</p>{chips}"
        f"{markup.bars_html(found.labels, worst.probabilities, head, top=2)}"
    )


def shortest(model: Classifier, text: str, temperature: float) -> None:
    """The smallest set of formatting edits that flips the sentence, searched when it is asked for."""
    st.subheader("The shortest flip")
    if not model.head.has_labels:
        st.caption("A value has no label to flip.")
        return
    if not controls.switch(
        "Search for the smallest set of formatting edits that flips it", "shortest",
        help=f"Single edits, then pairs and triples, the most promising first: at most {BUDGET} token sequences.",
    ):  # fmt: skip
        return
    found = work.attempt(lambda: results.shortest(model, text, temperature))
    if found is None:
        return
    st.html(f"<p class='w-line'><b>{escape(found.finding)}</b></p>")
    for flip in found.flips[:3]:
        st.html(
            f"<p class='w-line'><span class='w-text'>{markup.changed_html(flip.text, text, 400)}</span> <span class='w-faint'>"
            f"{escape(flip.made.said)}</span></p>{markup.bars_html(model.labels, flip.probabilities, model.head)}"
        )
    if found.flips:
        texts = [text, *(flip.text for flip in found.flips[:3])]
        take_away.code(lambda: scripts.predict_script(model, texts, temperature), "the shortest flips", name="shortest")


def choices(texts: Sequence[tuple[str, str]], key: str) -> None:
    with st.container(horizontal=True):
        for number, (text, why) in enumerate(texts):
            state.button(visible(shortened(text, 60)), f"take {key} {number}", why, plain=True, sentence=text)


def lessons() -> None:
    """One sentence for each thing that there is to learn; a click sets its model and the edit that Perturb opens, too."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html("<span class='w-faint'>Try:</span>", width="content")
        for number, one in enumerate(example for example in gallery() if example.teaches):
            why = f"“{visible(one.text)}” under {one.model}. {one.why}. Perturb opens the edit."
            state.button(
                one.teaches, f"lesson {number}", why,
                sentence=one.text, model=[one.model], variant=one.flips.get(one.model, state.NOTHING), factor=[],
            )  # fmt: skip


text, temperature = subject.sentence(), state.current().temperature
lessons()
head = work.header("Trying every factor")
models = subject.chosen_models()
recent = [one for one in state.unlinked("recent", []) if one != text]
state.store().change(recent=[text, *recent][: RECENT + 1])
pin = pinned.beside(models, results.profile_of)
# The style sheet keeps room for the whole strip: that of the first factors is lower.
with st.container(key="growing"):
    place = st.empty()
profiles = work.needed(partial(grown, models, text, temperature, head, place, pin))
with place.container():
    cases(models, profiles, pin)
model, profile = models[0], profiles[0]
columns = st.columns(3)
keys = {id(case): key for key, (_, case) in profile.keyed().items()}
for number, row in enumerate(sorted(profile.shown, key=lambda row: -(row.flip_rate or 0.0))):
    with columns[number % 3], st.container(border=True, height="stretch"):
        card(row, profile, keys)
shortest(model, text, temperature)
st.subheader("Try another sentence")
with st.expander("All examples", icon=":material/format_quote:"):
    choices([(example.text, example.why) for example in gallery()], "example")
if recent:
    st.markdown("**Recent**")
    choices([(one, "") for one in recent[:RECENT]], "recent")
take_away.downloads(
    ("Report (HTML)", "wobble-report.html", lambda: report.report(model, profile)),
    ("Record (JSON)", "wobble-profile.json", lambda: documents.profile_document(profile)),
    ("CSV", "wobble-profile.csv", lambda: tables.cases_frame(profile)),
    ("Chart (HTML)", "wobble-overview.html", lambda: picture(profiles, pin)),
)
st.caption(
    f"The record holds everything: `python -m core replay wobble-profile.json` recomputes it and says where it differs. "
    f"Cost: {profile.rows_asked:,} predictions asked for, including those of the noise floor; {profile.rows_run:,} run, the others "
    f"already known; {profile.seconds:.1f} s."
)
take_away.code(partial(scripts.scripts_of, model, profile), "every factor")
for model in models:
    subject.settle(model, "what a profile loads")
