"""The same recipe with another training seed: accuracy barely moves, single sentences flip."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from core.base.words import verb
from core.factors.case import Case
from core.factors.seeds import one_seed
from core.families import agreement
from core.families.agreement import Influence, OnData, against_people, influences, votes
from core.families.interpolation import NO_BARRIER, label_changes
from core.families.members import families, family_of
from core.families.stacked import Family
from core.models import catalog
from core.models.heads import Probabilities
from core.studies.study import Study, arranged, of_family
from core.studies.verdict import reach
from core.training.recipe import PARTS
from core.views import charts_training, strip, style, tables, tables_training
from core.views.documents import seeds_document
from core.views.html import visible_html
from core.views.scripts import SEEDS_FILE, article_script, interpolation_script, on_data_script, seeds_script
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, work

TITLE = "Seeds"
ICON = ":material/psychology_alt:"
QUESTION = "Would the same recipe, trained with another seed, say the same?"
FACTORS = ("seed",)
OPENS = {"member": "{case}"}

# Variants in the grid: those that move the family most.
SHOWN = 16
SPLIT_SENTENCES = 10


def sentence_view(family: Family, text: str, temperature: float) -> None:
    """Every seed on the current sentence and on its variants."""
    edited = results.compared(family.first, text, (), temperature)
    variants = {case.text: key for key, (_, case) in edited.keyed().items()}
    prediction = results.asked(family, (text, *variants))
    study = of_family(family, edited, prediction.logits[:, 0])
    seeds, _, formatting = study.rows
    said = headline(study)
    votes = ", ".join(f"{name} {count}" for name, count in Counter(case.label for case in seeds.cases).items())
    st.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
        + (f"<p class='w-line'>Votes: <b>{escape(votes)}</b>.</p>" if study.head.has_labels else "")
        + f"<p class='w-line w-faint'>{seeds.tried} models of the family {escape(family.id)}: the same data and recipe, other "
        f"seeds. The dotted line is {escape(seeds.cases[0].name)}, the reference; the last row is every formatting edit that "
        "reaches it.</p>"
        f"{markup.truncated_html(study.reference.encoding)}"
    )
    figure = strip.figure(study, title=reach(seeds, formatting), dark=charts.dark())
    st.plotly_chart(
        figure,
        key="seeds strip",
        config=charts.chart("wobble-seeds"),
        alt=said,
        on_select="rerun",
        selection_mode="points",
    )
    opened(family, seeds.cases)
    grid(family, study.head.probabilities(prediction.logits, temperature), study, list(variants.values()))
    frame = tables.strip_frame(arranged(study, study.rows[:2]))
    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-seeds.csv", lambda: frame.to_csv(index=False).encode())
        take_away.download("Parquet", "wobble-seeds.parquet", lambda: frame.to_parquet(index=False))
        take_away.download(
            "JSON",
            "wobble-seeds.json",
            lambda: json.dumps(seeds_document(family, text, prediction.logits[:, 0]), ensure_ascii=False).encode(),
        )
        take_away.download("Chart (HTML)", "wobble-seeds.html", lambda: figure.to_html(include_plotlyjs=True))
    take_away.code(lambda: seeds_script(family, text, temperature))


def headline(study: Study) -> str:
    """What the seeds say of the sentence."""
    seeds, mean = study.rows[0], study.rows[1].cases[0]
    if seeds.flips is None:
        values = seeds.probabilities[:, 0]
        return f"The seeds spread by {values.std():.3f} (standard deviation) around {mean.value:.3f}."
    label = study.reference.label
    if not seeds.flips:
        return f"All {seeds.tried} seeds say {label}."
    does = verb(seeds.flips, "does", "do")
    return f"{seeds.flips} of {seeds.tried} seeds {does} not say {label}, as {seeds.cases[0].name} does."


def opened(family: Family, seeds: Sequence[Case]) -> None:
    """One member's probabilities beside the reference's."""
    names = [case.name for case in seeds]
    state.pointed("seeds strip", "member")
    member = controls.choice("Open a seed", "member", names, nothing="or click a dot", width=260)
    if not member:
        return
    with st.container(border=True):
        for column, i in zip(st.columns(2), (0, names.index(member)), strict=True):
            column.html(
                f"<p class='w-line'><b>{escape(names[i])}</b> <span class='w-faint'>{escape(family.members[i].id)}</span></p>"
                f"{markup.bars_html(family.first.labels, seeds[i].probabilities, family.first.head, top=8)}"
            )


def grid(family: Family, p: Probabilities, study: Study, variants: Sequence[str]) -> None:
    """Seeds by variants: where a seed's answer depends on an edit, a flip jumps out."""
    found, label = agreement.grid(p, study.head, SHOWN), study.reference.label
    if found is None:
        return
    edits = verb(found.flipped, "edit flips", "edits flip")
    title = f"{found.flipped or 'No'} of {len(variants)} {edits} some seed's own answer; a cross: not {label}"
    colors = style.label_colors(study.labels)
    mine = colors.get(label, style.PALETTE[0])
    st.plotly_chart(
        charts_training.seed_grid(
            found.margins,
            family.names,
            ["your sentence", *(variants[i] for i in found.shown)],
            sides=(next((color for color in colors.values() if color != mine), style.ABSORBED), mine),
            title=title,
            dark=charts.dark(),
        ),
        key="seeds grid",
        config=charts.chart("wobble-seeds-grid"),
        alt=title,
    )
    if len(variants) > SHOWN:
        st.caption(
            f"The {SHOWN} edits that move some seed most, of {len(variants)}; all are in the downloads of Perturb."
        )


def data_view(family: Family, _text: str, _temperature: float) -> None:
    """Every seed on labelled texts that none was trained on."""
    found = results.tested(family)
    spread = found.accuracy.max() - found.accuracy.min()
    said = (
        f"Accuracies lie within {spread:.1%} of each other; two seeds disagree on {found.disagreement:.1%} of the texts"
    )
    st.html(
        f"<p class='w-verdict'>{escape(said)}.</p><p class='w-line w-faint'>{len(found.texts):,} labelled texts that no member was "
        f"trained on, {len(family.members)} members of {escape(family.id)}. Bars: accuracy with Wilson's 95 % interval, and "
        "the share of texts on which two members disagree, mean over all pairs.</p>"
    )
    levels = f"Accuracy {found.accuracy.min():.1%} to {found.accuracy.max():.1%}: level. Single sentences are not."
    st.plotly_chart(
        charts_training.level_bars(
            tables_training.accuracies_frame(family, found),
            disagreement=found.disagreement,
            title=levels,
            dark=charts.dark(),
        ),
        key="levels",
        config=charts.chart("wobble-seeds-accuracy"),
        alt=said,
    )
    people(found)
    st.markdown("**The sentences on which the seeds split most.** One click makes one the current sentence.")
    split, counts = found.split, votes(found.probabilities, family.first.head)
    for i in np.lexsort((np.arange(len(split)), -split))[:SPLIT_SENTENCES]:
        top = int(counts[i].argmax())
        state.button(
            f"{counts[i][top]} of {len(family.members)} say {family.first.labels[top]}: {found.texts[i][:200]}",
            f"take {i}",
            plain=True,
            sentence=found.texts[i],
            view="This sentence",
        )
    with st.container(horizontal=True):
        take_away.download(
            "CSV",
            "wobble-seeds-data.csv",
            lambda: tables_training.on_data_frame(family, found).to_csv(index=False).encode(),
        )
        data_download(family)
    take_away.code(lambda: on_data_script(family), SEEDS_FILE)


def data_download(family: Family) -> None:
    """The held-out texts with what each member predicts, which the scripts of this page read."""
    take_away.download(
        "Texts (Parquet)",
        SEEDS_FILE,
        lambda: tables_training.on_data_frame(family, results.tested(family)).to_parquet(index=False),
    )


def people(found: OnData) -> None:
    """Seed disagreement against human disagreement."""
    if found.rating_std is None:
        st.caption("Nobody rated these texts several times, so there is no human disagreement to compare with.")
        return
    bins = against_people(found)
    ratio = bins[-1].disagreement.value / max(bins[0].disagreement.value, 1e-9)
    said = (
        f"Where people disagree most, seeds disagree {ratio:.1f} times as often as where they agree most"
        if bins[0].disagreement.high < bins[-1].disagreement.low
        else "Seeds do not disagree clearly more often where people do"
    )
    st.plotly_chart(
        charts_training.share_bars(
            tables_training.people_frame(bins),
            title=said,
            x="standard deviation of the people's ratings (fifths of the texts)",
            y="two seeds disagree",
            dark=charts.dark(),
        ),
        key="people",
        config=charts.chart("wobble-seeds-people"),
        alt=said,
    )
    st.caption(
        "95 % bootstrap intervals over the texts. Disagreement between seeds of one pre-trained encoder is no estimate of the "
        "error: it is smaller, since they share their mistakes."
    )


def influence_view(family: Family, _text: str, _temperature: float) -> None:
    """Which of the separate seeds moves the predictions most."""
    if not influences(family, np.zeros((len(family.members), 1, len(family.first.labels)))):
        st.html("<p class='w-verdict'>Here all seeds vary together.</p>")
        st.info(
            "The head's initialisation, the order of the data, dropout and the drawn texts each have a seed of their own. Train "
            "a family in which one varies while the others are held (Train page, “each in turn”) to see which moves the "
            "predictions most.",
            icon=":material/science:",
        )
        return
    found = influences(family, results.tested(family).probabilities)
    top = found[0]
    clear = len(found) > 1 and top.shift.low > found[1].shift.high
    what = PARTS[top.part]
    said = (
        f"The {what} moves the predictions most: by {top.shift.value:.3f} on average."
        if clear
        else f"No seed clearly moves the predictions most; the {what} comes first with a mean shift of {top.shift.value:.3f}."
    )
    st.html(f"<p class='w-verdict'>{escape(said)}</p>")
    frame = tables_training.influences_frame(found)
    st.plotly_chart(
        charts_training.share_bars(
            frame, title="How often two models that differ in this seed alone disagree", x="what varies", y="share of texts",
            dark=charts.dark(),
        ),
        key="influences",
        config=charts.chart("wobble-seeds-influence"),
        alt=said,
    )  # fmt: skip
    influences_table(found)
    st.caption(
        "95 % bootstrap intervals over the texts; they say nothing about other seeds than these, and few seeds are few. Dodge et "
        "al. (arXiv 2002.06305) found that initialisation and order contribute about alike."
    )
    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-seeds-influence.csv", lambda: frame.to_csv(index=False).encode())
        data_download(family)
    take_away.code(lambda: on_data_script(family), SEEDS_FILE)


def influences_table(found: Sequence[Influence]) -> None:
    """What each source of chance does alone, with its intervals."""
    st.html(
        markup.table_html(
            (
                ("what varies", ""),
                ("pairs", "Pairs of members that differ in this seed alone"),
                (
                    "disagreement",
                    "Share of the held-out texts on which the two predict different labels, mean over the pairs",
                ),
                ("shift", "Total variation distance, ½ Σ |p − q|, mean over the pairs and texts"),
            ),
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


def interpolation_view(family: Family, text: str, temperature: float) -> None:
    """Interpolation between two seeds: the straight line between their weights."""
    names = list(family.names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = controls.choice("From seed", "from_seed", names, names[0], width=180)
        second = controls.choice("to seed", "to_seed", names, names[1], width=180)
    if first == second:
        st.html("<p class='w-verdict'>Interpolation between two seeds.</p>")
        st.info("Choose two different seeds.")
        return
    logits = results.along(family, text, first, second)
    found = results.interpolated(family, first, second)
    sentence = family.first.head.probabilities(logits, temperature)
    label, flips = int(sentence[0].argmax()), label_changes(sentence)
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
        family.first.labels[label],
        ends=(one_seed(first).name, one_seed(second).name),
        title=f"Loss {found.loss[0]:.3f} and {found.loss[-1]:.3f} at the ends, at most {found.loss.max():.3f} in between",
        dark=charts.dark(),
    )
    st.plotly_chart(figure, key="interpolation", config=charts.chart("wobble-seeds-interpolation"), alt=said)
    st.caption(
        f"{len(found.shares)} models whose weights lie on the straight line between the two, on {found.texts} labelled texts that "
        f"neither was trained on. The rise is measured from the straight line between the losses of the two ends (Frankle et al., "
        f"arXiv 1912.05671); below {NO_BARRIER} nats it is called none. Different local minima would show as a hill."
    )
    with st.container(horizontal=True):
        take_away.download(
            "CSV",
            "wobble-seeds-interpolation.csv",
            lambda: (
                tables_training.interpolation_frame(found, sentence, family.first.labels).to_csv(index=False).encode()
            ),
        )
        take_away.download(
            "Chart (HTML)", "wobble-seeds-interpolation.html", lambda: figure.to_html(include_plotlyjs=True)
        )
        data_download(family)
    take_away.code(
        lambda: interpolation_script(family, first, second, text, len(found.shares), temperature), SEEDS_FILE
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
known = list(families())
own = family_of(chosen.id)
with st.container(horizontal=True, vertical_alignment="bottom"):
    family_id = controls.choice(
        "Family of seeds", "family", known, own or catalog.DEFAULT, width=320,
        help="The embedded family, and every training with at least two finished seeds.",
    )  # fmt: skip
    view = controls.segments("View", "view", list(VIEWS), words=lambda name: SAID.get(name, name))
if own is None:
    st.caption(
        f"There is no seed family for {markup.escape_markdown(chosen.id)}: train one. This page shows "
        f"{markup.escape_markdown(family_id)}."
    )
family = work.attempt(lambda: results.family(family_id))
if family is None:
    st.stop()
if not family.first.head.exclusive and view != "This sentence":
    st.info("Accuracy, disagreement and interpolation between two seeds need a softmax head.", icon=":material/info:")
    st.stop()
work.attempt(lambda: VIEWS[view](family, text, state.current().temperature))
with st.expander("The article's experiment, as a script", icon=":material/code:"):
    st.caption(
        "Two seeds of bert-base-uncased on SST-2, corrected for today's transformers: the head is seeded before it is made, and "
        "the arguments have their new names. It needs the hub, and an hour on two cores; a GPU takes minutes."
    )
    st.code(article_script(), language="python")
