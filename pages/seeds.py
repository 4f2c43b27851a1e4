"""The same recipe with another training seed: accuracy barely moves, single sentences flip."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import numpy as np
import streamlit as st

from core.base.words import capital, duration, every, plural, shortened, tempered, verb
from core.factors.seeds import one_seed
from core.families import agreement, interpolation, members
from core.families.stacked import Family
from core.models import catalog
from core.models.heads import Probabilities
from core.studies.study import Study, arranged, of_family
from core.studies.verdict import edit_counts, reach
from core.training.recipe import PARTS
from core.views import charts_training, documents, scripts, strip, style, tables, tables_training
from core.views.html import visible_html
from pages import controls, state
from pages.parts import markup, opened, pinned, plots, results, subject, take_away, work

PAGE = {
    "title": "Seeds",
    "icon": ":material/psychology_alt:",
    "question": "Would the same recipe, trained with another seed, say the same?",
    "factors": ("seed",),
    "opens": {"member": "{case}"},
}

# Variants in the grid: those that move the family most.
SHOWN = 16
STRIP = "seeds strip"
SPLIT_SENTENCES = 10
# Labelled texts that a page begins with: a few seconds.
FIRST_TEXTS = 200
INFLUENCES = (
    ("what varies", ""),
    ("pairs", "Pairs of members that differ in this seed alone"),
    ("disagreement", "Share of the held-out texts on which the two predict different labels, mean over the pairs"),
    ("shift", "Total variation distance, ½ Σ |p − q|, mean over the pairs and texts"),
)


def sentence_view(family: Family, text: str, temperature: float) -> None:
    """Every seed on the current sentence and on its variants."""
    head = work.header(f"Asking every seed of {family.id}")
    edited = results.compared(family.first, text, (), temperature)
    variants = {
        case.text: case.called(key)
        for key, (row, case) in edited.keyed().items()
        if case.tried and row in edited.counted
    }
    prediction = results.asked(family, (text, *variants))
    study = of_family(family, edited, prediction.logits[:, 0])
    seeds, _, edits = study.rows
    label, first, others = study.reference.label, one_seed(family.names[0]).name, plural(seeds.tried, "other seed")
    if seeds.flips is None:
        low, high = min(case.value for case in seeds.cases), max(case.value for case in seeds.cases)
        said = f"{capital(first)} gives {study.reference.value:.3f}, the {others} from {low:.3f} to {high:.3f}."
    elif seeds.flips:
        does = verb(seeds.flips, "disagrees", "disagree")
        said = f"{seeds.flips} of the {others} {does} with {first}, which says {label}."
        if seeds.tried == 1:
            said = f"The other seed disagrees with {first}, which says {label}."
    else:
        said = f"{capital(every(len(family.members)))} seeds say {label}."
    everyone = Counter([label, *(case.label for case in seeds.cases)])
    votes = ", ".join(f"{name} {count}" for name, count in everyone.items())
    work.headed(head).html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
        + (f"<p class='w-line'>Votes: <b>{escape(votes)}</b>.</p>" if study.head.has_labels else "")
        + f"<p class='w-line w-faint'>{len(family.members)} models of the family {escape(family.id)}"
        f"{tempered(temperature)}: the same data and recipe, other seeds. The dotted line is {escape(first)}, the reference; "
        f"the last row is its edits.</p><p class='w-line'>{escape(edit_counts(edited))}</p>"
        f"{markup.truncated_html(study.reference.encoding)}"
    )
    members_on_strip(family, study, said)
    grid(family, study.head.probabilities(prediction.logits, temperature), study, list(variants.values()))
    frame = tables.strip_frame(arranged(study, study.rows[:2]))
    take_away.downloads(
        ("CSV", "wobble-seeds.csv", lambda: frame),
        ("Parquet", "wobble-seeds.parquet", lambda: frame),
        ("JSON", "wobble-seeds.json", lambda: documents.seeds_document(family, text, prediction.logits[:, 0])),
        ("Chart (HTML)", "wobble-seeds.html", lambda: strip.figure(study, title=reach(seeds, edits))),
    )
    take_away.code(lambda: scripts.seeds_script(family, text, temperature), "every seed on your sentence")


@st.fragment
def members_on_strip(family: Family, study: Study, said: str) -> None:
    """The strip and the seed, or the edit, that is opened, which reruns only this."""
    seeds, _, edits = study.rows

    def draw(marked: str) -> None:
        figure = strip.figure(study, title=reach(seeds, edits), dark=plots.dark(), marked=marked)
        plots.show(figure, STRIP, "wobble-seeds", said, opens=True, legend=strip.legend_html(study))

    opened.section([study], draw, opened.scripts_of(family.first), charts=[STRIP], opens="member")
    state.address("of the member")


def grid(family: Family, p: Probabilities, study: Study, variants: Sequence[str]) -> None:
    """Seeds by variants: where a seed's answer depends on an edit, a flip jumps out."""
    found, label = agreement.grid(p, study.head, SHOWN), study.reference.label
    if found is None:
        return
    # Two edits may make the same text, which is asked once.
    change = verb(found.flipped, "changes", "change")
    flipped = f"{found.flipped} of {len(variants)} different texts {change} the label of some seed"
    title = f"{flipped}; a cross: that seed does not say {label}"
    colors = style.label_colors(study.labels)
    mine = colors.get(label, style.PALETTE[0])
    other = next((color for color in colors.values() if color != mine), style.ABSORBED)
    shown = ["your sentence", *(variants[i] for i in found.shown)]
    plots.show(
        charts_training.seed_grid(
            found.margins, family.names, shown, sides=(other, mine), title=title, dark=plots.dark()
        ),
        "seeds grid",
        "wobble-seeds-grid",
        title,
    )
    if len(variants) > SHOWN:
        st.caption(
            f"The {SHOWN} texts that move some seed most, of {len(variants)}; all edits are in the downloads of Perturb."
        )


def data_view(family: Family, _text: str, _temperature: float) -> None:
    """Every seed on labelled texts that none was trained on."""
    found, labels = tested(family), family.first.labels
    low, high, apart = found.accuracy.min(), found.accuracy.max(), found.disagreement
    spread = f"{100 * (high - low):.1f} percentage points"
    said = f"Accuracies lie within {spread}; two seeds disagree on {apart.value:.1%} of the texts"
    st.html(
        f"<p class='w-verdict'>{escape(said)}.</p><p class='w-line w-faint'>{len(family.members)} members of {escape(family.id)} "
        f"on {texts_of(found)}. Bars: accuracy with Wilson's 95% interval, and the share of texts on which two members disagree, "
        f"mean over all pairs with its 95% bootstrap interval ({apart.low:.1%} to {apart.high:.1%}).</p>"
    )
    all_texts(found)
    plots.show(
        charts_training.level_bars(
            tables_training.accuracies_frame(family, found),
            disagreement=apart,
            title=f"Accuracy {low:.1%} to {high:.1%}: "
            + ("level. Single sentences are not." if found.level else "further apart than chance explains."),
            dark=plots.dark(),
        ),
        "levels",
        "wobble-seeds-accuracy",
        said,
    )
    people(found)
    st.markdown("**The sentences on which the seeds split most.** One click makes one the current sentence.")
    counts = agreement.votes(found.probabilities, family.first.head)
    for i in found.most_split[:SPLIT_SENTENCES]:
        top = int(counts[i].argmax())
        state.button(
            f"{counts[i][top]} of {len(family.members)} say {labels[top]}: {shortened(found.texts[i], 160)}",
            f"take {i}",
            plain=True,
            sentence=found.texts[i],
            view="This sentence",
        )
    data = data_file(partial(tables_training.on_data_frame, family, found))
    take_away.downloads(("CSV", "wobble-seeds-data.csv", data[-1]), data)
    take_away.code(lambda: scripts.on_data_script(family), "every seed on the held-out texts", scripts.SEEDS_FILE)


def data_file(make: Callable[[], object]) -> tuple[str, str, Callable[[], object]]:
    """The held-out texts, which the scripts of this page read, as a download."""
    return "Texts (Parquet)", scripts.SEEDS_FILE, make


def tested(family: Family) -> agreement.OnData:
    """Every seed on the first of the labelled texts, or on all where that was asked for."""
    return results.tested(family, None if state.unlinked("all_texts", False) else FIRST_TEXTS)


def texts_of(found: agreement.OnData) -> str:
    """Which texts the numbers are of, in words."""
    drawn = "" if len(found.texts) == found.of else f" of the {found.of:,}"
    return f"{len(found.texts):,}{drawn} labelled texts that no member was trained on{', drawn with seed 0' if drawn else ''}"


def all_texts(found: agreement.OnData) -> None:
    """The button that asks for the texts that were not drawn."""
    if len(found.texts) < found.of:
        state.button(f"Run all {found.of:,} texts, about {duration(found.seconds_of_all)}", "all texts", all_texts=True)


def people(found: agreement.OnData) -> None:
    """Seed disagreement against human disagreement."""
    if found.rating_std is None:
        st.caption("These texts were not rated by several people, so there is no human disagreement to compare with.")
        return
    bins = agreement.against_people(found)
    least, most = bins[0].disagreement, bins[-1].disagreement
    said = "Seeds do not disagree clearly more often where people do"
    if least.high < most.low:
        ratio = most.value / max(least.value, 1e-9)
        said = f"Where people disagree most, seeds disagree {ratio:.1f} times as often as where they agree most"
    plots.show(
        charts_training.share_bars(
            tables_training.people_frame(bins),
            title=said,
            x="standard deviation of the people's ratings (fifths of the texts)",
            y="two seeds disagree",
            dark=plots.dark(),
        ),
        "people",
        "wobble-seeds-people",
        said,
    )
    st.caption(
        "95% bootstrap intervals over the texts. Disagreement between seeds of one pre-trained encoder is not an estimate of the "
        "error: it is smaller, since they share their mistakes."
    )


def influence_view(family: Family, _text: str, _temperature: float) -> None:
    """Which of the separate seeds moves the predictions most."""
    if not agreement.influences(family, np.zeros((len(family.members), 1, len(family.first.labels)))):
        st.html("<p class='w-verdict'>Here all seeds vary together.</p>")
        st.info(
            "The head's initialisation, the order of the data, dropout and the choice of texts each have a seed of their own. "
            "Train a family in which one varies while the others are held (Train page, “each in turn”) to see which moves the "
            "predictions most.",
            icon=":material/science:",
        )
        st.page_link(
            "pages/train.py",
            label="Train such a family",
            icon=":material/model_training:",
            query_params={"vary": "each"},
        )
        return
    on = tested(family)
    found = agreement.influences(family, on.probabilities)
    what, shift = PARTS[found[0].part], found[0].shift
    said = f"No seed clearly moves the predictions most; the {what} comes first with a mean shift of {shift.value:.3f}."
    if len(found) > 1 and shift.low > found[1].shift.high:
        said = f"The {what} moves the predictions most: by {shift.value:.3f} on average."
    st.html(f"<p class='w-verdict'>{escape(said)}</p><p class='w-line w-faint'>On {texts_of(on)}.</p>")
    all_texts(on)
    frame = tables_training.influences_frame(found)
    plots.show(
        charts_training.share_bars(
            frame, title="How often two models that differ in this seed alone disagree", x="what varies",
            y="share of texts", dark=plots.dark(),
        ),
        "influences", "wobble-seeds-influence", said,
    )  # fmt: skip
    st.html(
        markup.table_html(
            INFLUENCES,
            [
                (
                    escape(PARTS[one.part]),
                    str(one.pairs),
                    f"{one.disagreement.value:.2%} ({one.disagreement.low:.2%} to {one.disagreement.high:.2%})",
                    f"{one.shift.value:.4f} ({one.shift.low:.4f} to {one.shift.high:.4f})",
                )
                for one in found
            ],
        )
    )
    st.caption(
        "95% bootstrap intervals over the texts; they say nothing about seeds other than these, and these are few. Dodge et "
        "al. (arXiv 2002.06305) found that initialisation and order contribute about alike."
    )
    take_away.downloads(
        ("CSV", "wobble-seeds-influence.csv", lambda: frame),
        data_file(partial(tables_training.on_data_frame, family, on)),
    )
    take_away.code(lambda: scripts.on_data_script(family), "every seed on the held-out texts", scripts.SEEDS_FILE)


def interpolation_view(family: Family, text: str, temperature: float) -> None:
    """Interpolation between two seeds: the straight line between their weights."""
    names, labels = list(family.names), family.first.labels
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = controls.choice("From seed", "from_seed", names, names[0], width=180)
        second = controls.choice("to seed", "to_seed", names, names[1], width=180)
    if first == second:
        st.html("<p class='w-verdict'>Interpolation between two seeds.</p>")
        st.info("Choose two different seeds.")
        return
    logits = results.along(family, first, second, (text,))[:, 0]
    found = results.interpolated(family, first, second)
    sentence = family.first.head.probabilities(logits, temperature)
    label, flips = int(sentence[0].argmax()), interpolation.label_changes(sentence)
    between = (
        f"The loss rises by {found.barrier:.3f} nats between the two seeds"
        if found.has_barrier
        else "There is no barrier: the loss does not rise between the two seeds"
    )
    changes = {0: "keeps its label", 1: "changes its label once"}.get(flips, f"changes its label {flips} times")
    said = f"{between}; your sentence {changes}"
    st.html(
        f"<p class='w-verdict'>{escape(said)}.</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
    )
    figure = charts_training.interpolation(
        found.shares,
        found.loss,
        found.accuracy,
        sentence[:, label],
        labels[label],
        ends=(one_seed(first).name, one_seed(second).name),
        title=f"Loss {found.loss[0]:.3f} and {found.loss[-1]:.3f} at the ends, at most {found.loss.max():.3f} in between",
        dark=plots.dark(),
    )
    plots.show(figure, "interpolation", "wobble-seeds-interpolation", said)
    st.caption(
        f"{len(found.shares)} models whose weights lie on the straight line between the two, on {found.texts} labelled texts that "
        f"neither was trained on. The rise is measured from the straight line between the losses of the two ends (Frankle et al., "
        f"arXiv 1912.05671); below {interpolation.NO_BARRIER} nats it counts as none. Different local minima would show as a "
        "hill."
    )
    take_away.downloads(
        (
            "CSV",
            "wobble-seeds-interpolation.csv",
            lambda: tables_training.interpolation_frame(found, sentence, labels),
        ),
        ("Chart (HTML)", "wobble-seeds-interpolation.html", lambda: figure),
        data_file(lambda: tables_training.texts_frame(family, members.family_data(family.id))),
    )
    take_away.code(
        lambda: scripts.interpolation_script(family, first, second, text, len(found.shares), temperature),
        f"interpolation from {first} to {second}",
        scripts.SEEDS_FILE,
    )


VIEWS: Mapping[str, Callable[[Family, str, float], None]] = {
    "This sentence": sentence_view,
    "On data": data_view,
    "From seed to seed": interpolation_view,
    "Which seed matters": influence_view,
}
# How a view is called where its name, which links hold, is another.
SAID = {"From seed to seed": "Between two seeds"}

text = subject.sentence()
chosen = subject.chosen_models()[0]
own = members.family_of(chosen.id)
with st.container(horizontal=True, vertical_alignment="bottom"):
    family_id = controls.choice(
        "Family of seeds", "family", members.families(), own or catalog.DEFAULT, width=320,
        help="The embedded family, and every training with at least two finished seeds.",
    )  # fmt: skip
    view = controls.segments("View", "view", list(VIEWS), words=lambda name: SAID.get(name, name))
if own is None:
    st.caption(
        f"There is no seed family for {markup.escape_markdown(chosen.id)}: train one. This page shows "
        f"{markup.escape_markdown(family_id)}."
    )
family = work.needed(lambda: results.family(family_id))
if not family.first.head.exclusive and view != "This sentence":
    st.info("Accuracy, disagreement and interpolation between two seeds need a softmax head.", icon=":material/info:")
    work.end()
work.attempt(lambda: VIEWS[view](family, text, state.current().temperature))
if view == "This sentence":
    pinned.bars([chosen])
with st.expander("The article's experiment, as a script", icon=":material/code:"):
    st.caption(
        "Two seeds of bert-base-uncased on SST-2, corrected for today's transformers: the head is seeded before it is made, and "
        "the arguments have their new names. It needs the hub, and an hour on two cores; a GPU takes minutes."
    )
    st.code(scripts.article_script(), language="python", wrap_lines=True)
