"""Fine-tuning a family of seeds, live: what to train on, what varies, and the runs that go on."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape
from typing import Any

import pages.parts.engine  # noqa: F401 - before all else

import pandas as pd
import streamlit as st

from core.base.settings import settings
from core.base.words import capital, duration, plural
from core.data.labelled import DataSource, Labelled
from core.jobs.job import LIVE, progress
from core.models import catalog, classifier
from core.training import recipe as recipes
from core.training import runs
from core.views import charts_training, scripts
from pages import _shell, controls, state
from pages.parts import labelled_data, markup, plots, sidebar, subject, take_away, work

PAGE = {
    "title": "Train",
    "icon": ":material/model_training:",
    "question": "Fine-tune seeds of your own, on your data, and watch.",
}

VARIES: Mapping[recipes.Vary, str] = {
    "together": "all together",
    "each": "each in turn",
    "head": recipes.PARTS["head"],
    "order": recipes.PARTS["order"],
    "dropout": recipes.PARTS["dropout"],
    "subset": recipes.PARTS["subset"],
}
VARIES_HELP = (
    "Head initialisation, data order and dropout have three separate seeds, and the choice of texts has a fourth. “All together” "
    "is what people mean by a training seed. “Each in turn” trains, besides the model of the first seed, models that differ in "
    "one part alone: the Seeds page then shows which part moves the predictions most. A base that already classifies into as "
    "many labels keeps its head, so there the head's seed changes nothing."
)
# The state of a run, where the word differs from its own.
STATES = {"queued": "waiting", "running": "training"}
LOG_LINES = 30
# Seconds between two looks at a run that goes on.
LOOK = 1.0


def members_form() -> tuple[recipes.Seeds, ...] | None:
    """Which models are trained; None while something is wrong, which is said at its field: the form's end is out of sight."""
    typed = controls.text("Seeds", "seeds", "42, 43", help="A list like 42, 43 or a range like 42-45.")
    seeds = work.attempt(partial(recipes.parse_seeds, typed))
    vary = controls.choice("What varies", "vary", VARIES, words=VARIES.__getitem__, help=VARIES_HELP)
    return work.attempt(partial(recipes.plan, seeds, vary)) if seeds else None


def recipe_form(source: DataSource, data: Labelled) -> tuple[recipes.Recipe, int] | None:
    """What to train; None while something is wrong with it, which is said."""
    left, right = st.columns(2)
    with left:
        base = controls.choice(
            "Base model", "base", catalog.base_ids(), free=True,
            help="An embedded encoder, a local directory, or any hub id: type it and press Enter.",
        )  # fmt: skip
        members = members_form()
        method = controls.segments(
            "Method", "method", tuple(recipes.LEARNING_RATE),
            help="LoRA trains the head and small factors beside the frozen weights (rank 8, all linear layers); full trains all "
            "weights.",
        )  # fmt: skip
    with right:
        most, fewest = int((data.split == "train").sum()), recipes.FEWEST_EXAMPLES
        examples = controls.number(
            "Examples", "examples", fewest, max(fewest, most), min(500, max(fewest, most)),
            step=100, help=f"Texts to train on, drawn from the {most:,} of the train split.",
        )  # fmt: skip
        epochs = controls.number("Epochs", "epochs", 1, 50, 1, help="How often each text is seen.")
        batch = controls.number("Batch", "batch", 1, 512, 8, help="Texts per step.")
        rate = controls.optional(
            "Learning rate", "learning_rate", 1e-6, 1.0, placeholder=f"{recipes.LEARNING_RATE[method]:g}",
            help="Its peak: the rate rises over the first 6% of the steps, then falls to 0.",
        )  # fmt: skip
    usual = runs.free_name(recipes.default_name(source.name))
    name = controls.text(
        "Name", "run_name", placeholder=usual,
        help="The family's name in the catalog: lower-case letters, digits, dots, dashes and underscores.",
    )  # fmt: skip
    if not members:
        return None
    device = classifier.best_device()

    def made() -> tuple[recipes.Recipe, int]:
        recipe = recipes.Recipe(
            name=name.strip() or usual,
            base=base.strip(),
            data=source,
            members=members,
            examples=int(examples),
            epochs=int(epochs),
            batch=int(batch),
            learning_rate=rate or recipes.LEARNING_RATE[method],
            method=method,
            precision=recipes.default_precision(device),
        )
        recipes.check(recipe, data)
        subject.files(recipe.base)
        cost = recipes.estimate(recipe, data, *catalog.size_of(recipe.base), device)
        models = plural(len(recipe.members), "model")
        st.html(
            f"<p class='w-line'><b>{models}</b> ({escape(', '.join(recipe.names))}), about <b>{duration(cost.seconds)}</b>, "
            f"{cost.memory / 2**30:.1f} GiB of memory and {cost.disk / 2**20:,.0f} MiB on disk, on {escape(str(device))} in "
            f"{recipe.precision}. <span class='w-faint'>An estimate from the model's size and the speed of this machine.</span></p>"
        )
        return recipe, cost.disk

    return work.attempt(made)


def shown(run: runs.Run) -> None:
    """One run: its state, its losses, its models."""
    recipe, events, when = run.recipe, progress(run), datetime.fromtimestamp(run.created).strftime("%d %b %H:%M")
    finished = f"{len(run.finished)} of {len(recipe.members)} models"
    st.html(
        f"<p class='w-line'><b>{escape(run.name)}</b> <span class='w-badge {run.state}'>{STATES.get(run.state, run.state)}</span> "
        f"<span class='w-faint'>{escape(recipe.base)} on {escape(recipe.data.name)}, "
        f"{plural(recipe.examples, 'example')}, {plural(recipe.epochs, 'epoch')}, {recipe.method}, {when}</span></p>"
    )
    broken = run.state in ("failed", "killed")
    if run.state == "queued":
        st.caption(f"Waiting: {run.ahead} ahead of it." if run.ahead else "Starting …")
    elif run.state == "running":
        share, said = runs.so_far(events, len(recipe.members))
        st.progress(share, markup.escape_markdown(capital(said)))
    elif broken:
        st.error(markup.escape_markdown(run.message), icon=":material/error:")
    elif run.state == "cancelled":
        st.caption(f"Cancelled after {finished}.")
    steps, held_out = (pd.DataFrame([one for one in events if one["event"] == kind]) for kind in ("step", "evaluated"))
    if not steps.empty:
        best = f"; held-out accuracy of the last one {held_out['accuracy'].iloc[-1]:.1%}" if len(held_out) else ""
        title = f"{finished} finished{best}"
        plots.show(
            charts_training.loss_curves(steps, held_out, title=title, dark=plots.dark()),
            f"losses {run.name}",
            "wobble-train",
            f"Training loss of {run.name}: {title}",
        )
    if rows := runs.results(run):
        st.dataframe(
            rows,
            hide_index=True,
            column_order=("name", "accuracy", "loss", "tested_on", "seconds", "weights", "saved"),
            column_config={
                "name": st.column_config.TextColumn("seed"),
                "accuracy": st.column_config.NumberColumn(format="percent", help="On the held-out texts"),
                "loss": st.column_config.NumberColumn(
                    format="%.4f", help="Mean negative log likelihood there, in nats"
                ),
                "tested_on": st.column_config.NumberColumn("held out"),
                "seconds": st.column_config.NumberColumn(format="%.0f"),
                "weights": st.column_config.TextColumn("weights (sha256)", width="small"),
                "saved": st.column_config.TextColumn("id in the catalog"),
            },
        )
    buttons(run)
    if run.state == "done":
        take_away.code(lambda: scripts.training_script(run), f"train {run.name} again", name=run.name)
    log = run.folder / "worker.log"
    if broken and log.is_file():
        with st.expander("What the libraries said"):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            st.code("\n".join(lines[-LOG_LINES:]) or "nothing", language=None)


def buttons(run: runs.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state in LIVE:
            state.button("Cancel", f"cancel {run.name}", icon="stop_circle", **wish("cancel", run))
        if len(run.finished) > 1:
            st.page_link(
                "pages/seeds.py", label="Open on the Seeds page", icon=":material/psychology_alt:",
                query_params={"family": run.id},
            )  # fmt: skip
        if run.state not in LIVE:
            with st.popover("Remove", icon=":material/delete:"):
                st.write("The run and its models are deleted. This cannot be undone.")
                state.button("Delete", f"remove {run.name}", primary=True, **wish("remove", run))


def wish(act: str, run: runs.Run) -> dict[str, Any]:
    """What a button of a run changes; another run may have the same name later."""
    return {f"{act} {run.name} {run.created}": True}


def pressed() -> None:
    """Do what buttons of runs ask for, once for each click."""
    for run in runs.runs():
        for act, do in (("cancel", runs.cancel), ("remove", runs.remove)):
            if any(state.once(name) for name in wish(act, run)):
                work.attempt(partial(do, run.name))


def live() -> None:
    """The runs that wait or train; looked at again and again while there are any."""
    going = [run for run in runs.runs() if run.state in LIVE]
    names = {run.name for run in going}
    before = state.unlinked("going", set())
    state.store().change(going=names)
    if before - names:
        # One has ended: the whole page shows it among the others, and the catalog knows its models.
        sidebar.model_ids.clear()
        st.rerun()
    for run in going:
        with st.container(border=True):
            shown(run)


_shell.through_router()
st.html(
    "<p class='w-verdict'>Train the same recipe with several seeds, and see what chance decides.</p>"
    "<p class='w-line w-faint'>A run trains in a process of its own: pages go on, and a closed window stops nothing. One trains at "
    "a time, the others wait. A finished model is one like any other, on every page.</p>"
)
if settings().runs_dir is None:
    st.info("Training is switched off here: whoever runs Wobble can name a folder with WOBBLE_RUNS_DIR.")
    work.end()
pressed()
is_going = any(run.state in LIVE for run in runs.runs())
st.fragment(run_every=LOOK if is_going else None)(live)()
with st.expander(
    "A new run", expanded=not is_going and not state.unlinked("run", state.NOTHING), icon=":material/model_training:"
):
    chosen = labelled_data.labelled_data("train")
    if chosen is not None:
        source, data = chosen
        ready = recipe_form(source, data)
        # It only asks: what was typed since it was drawn counts.
        state.button("Start", "start button", primary=True, icon="play_arrow", disabled=ready is None, start=True)
        if state.once("start") and ready and (run := work.attempt(partial(runs.submit, ready[0], data, ready[1]))):
            state.store().change(run=run.name)
            st.rerun()
ended = [run for run in runs.runs() if run.state not in LIVE]
if ended:
    st.subheader("Runs that have ended")
elif not is_going:
    st.caption("No run yet: start the first one. 500 examples take the embedded encoder well under a minute per seed.")
for place, run in enumerate(ended):
    title = f"{run.name}: {STATES.get(run.state, run.state)}, {len(run.finished)} of {len(run.recipe.members)} models"
    with st.expander(markup.escape_markdown(title), expanded=place == 0):
        shown(run)
