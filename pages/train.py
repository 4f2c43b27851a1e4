"""Fine-tuning a family of seeds, live: what to train on, what varies, and the runs that go on."""

from datetime import datetime
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.base.settings import settings
from core.base.words import duration, plural
from core.data.labelled import DataSource, Labelled
from core.jobs.job import LIVE, progress
from core.models import catalog
from core.models.classifier import best_device
from core.training import runs
from core.training.recipe import (
    FEWEST_EXAMPLES,
    LEARNING_RATE,
    PARTS,
    Recipe,
    Vary,
    check,
    default_name,
    default_precision,
    estimate,
    parse_seeds,
    plan,
)
from core.views import charts_training
from core.views.scripts import training_script
from pages import controls, state
from pages.parts import charts, labelled_data, markup, sidebar, subject, take_away, work

TITLE = "Train"
ICON = ":material/model_training:"
QUESTION = "Fine-tune seeds of your own, on your data, and watch."

VARIES: dict[Vary, str] = {
    "together": "all together",
    "each": "each in turn",
    "head": PARTS["head"],
    "order": PARTS["order"],
    "dropout": PARTS["dropout"],
    "subset": PARTS["subset"],
}
VARIES_HELP = (
    "Head initialisation, data order and dropout are three separate seeds, and which texts are drawn is a fourth. “All together” "
    "is what people mean by a training seed. “Each in turn” trains, beside the first seed, models that differ in one part alone: "
    "the Seeds page then shows which part moves the predictions most. A base that already classifies into as many labels keeps "
    "its head, so there the head's seed changes nothing."
)
STATES = {
    "queued": "waiting",
    "running": "training",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "killed": "killed",
}
LOG_LINES = 30
# Seconds between two looks at a run that goes on.
LOOK = 1.0


def recipe_form(source: DataSource, data: Labelled) -> tuple[Recipe, int] | None:
    """What to train; None while something is wrong with it, which is said."""
    left, right = st.columns(2)
    with left:
        base = controls.choice(
            "Base model", "base", catalog.base_ids(), free=True,
            help="An embedded encoder, a local directory, or any hub id: type it and press Enter.",
        )  # fmt: skip
        seeds = controls.text("Seeds", "seeds", "42, 43", help="A list like 42, 43 or a range like 42-45.")
        vary = controls.choice("What varies", "vary", VARIES, words=VARIES.__getitem__, help=VARIES_HELP)
        method = controls.segments(
            "Method", "method", tuple(LEARNING_RATE),
            help="LoRA trains the head and small factors beside the frozen weights (rank 8, all linear layers); full trains all.",
        )  # fmt: skip
    with right:
        most = int((data.split == "train").sum())
        examples = controls.number(
            "Examples", "examples", FEWEST_EXAMPLES, max(FEWEST_EXAMPLES, most), min(500, max(FEWEST_EXAMPLES, most)),
            step=100, help=f"Texts to train on, drawn from the {most:,} of the train split.",
        )  # fmt: skip
        epochs = controls.number("Epochs", "epochs", 1, 50, 1, help="Times that each text is seen.")
        batch = controls.number("Batch", "batch", 1, 512, 8, help="Texts a step.")
        rate = controls.optional(
            "Learning rate", "learning_rate", 1e-6, 1.0, placeholder=f"{LEARNING_RATE[method]:g}",
            help="At its peak: it rises over the first 6 %, then falls to 0.",
        )  # fmt: skip
    name = controls.text(
        "Name", "run_name", placeholder=runs.free_name(default_name(source.name)),
        help="Of the family in the catalog. Small letters, digits, dots, dashes and underscores.",
    )  # fmt: skip
    device = best_device()

    def made() -> tuple[Recipe, int]:
        recipe = Recipe(
            name=name.strip() or runs.free_name(default_name(source.name)),
            base=base.strip(),
            data=source,
            members=plan(parse_seeds(seeds), vary),
            examples=int(examples),
            epochs=int(epochs),
            batch=int(batch),
            learning_rate=rate or LEARNING_RATE[method],
            method=method,
            precision=default_precision(device),
        )
        check(recipe, data)
        cost = estimate(recipe, data, *catalog.size_of(recipe.base), device)
        models = plural(len(recipe.members), "model")
        st.html(
            f"<p class='w-line'><b>{models}</b> ({escape(', '.join(recipe.names))}), about <b>{duration(cost.seconds)}</b>, "
            f"{cost.memory / 2**30:.1f} GiB of memory and {cost.disk / 2**20:,.0f} MiB on the disk, on {escape(str(device))} in "
            f"{recipe.precision}. <span class='w-faint'>An estimate from the model's size and the speed of this machine.</span></p>"
        )
        return recipe, cost.disk

    found: tuple[Recipe, int] | None = work.attempt(made)
    return found


def start(found: state.Store, recipe: Recipe, data: Labelled, needed: int) -> None:
    """Put a run into the queue."""
    run = work.attempt(lambda: runs.submit(recipe, data, needed))
    if run is not None:
        found.change(run=run.name)


def fraction(events: list[dict[str, Any]], members: int) -> tuple[float, str]:
    """How much of a run is done, and what it does now, in words."""
    told = [event for event in events if event["event"] in ("began", "step", "evaluated", "saved")]
    if not told:
        return 0.0, "starting …"
    last = told[-1]
    number = int(last["number"])
    inside = 1.0 if last["event"] == "saved" else last.get("step", 0) / max(1, last.get("steps", 1))
    seconds = [event["seconds"] for event in events if event["event"] == "saved"]
    steps = [event for event in events if event["event"] == "step"]
    said = f"model {number} of {members}: {last['member']}"
    if last["event"] == "began":
        said += ", loading"
    elif last["event"] == "evaluated" or (last["event"] == "step" and last["step"] == last["steps"]):
        said += ", asking the held-out texts"
    elif last["event"] == "step":
        said += f", step {last['step']:,} of {last['steps']:,}"
    if steps:
        a_model = sum(seconds) / len(seconds) if seconds else steps[-1]["seconds_left"] / max(1e-6, 1 - inside)
        left = (1 - inside) * a_model + (members - number) * a_model
        said += f", {steps[-1]['examples_per_second']:.0f} examples a second, about {duration(left)} left"
    return (number - 1 + inside) / members, said


def curves(run: runs.Run, events: list[dict[str, Any]]) -> None:
    """The losses so far."""
    steps = pd.DataFrame([event for event in events if event["event"] == "step"])
    held_out = pd.DataFrame([event for event in events if event["event"] == "evaluated"])
    if steps.empty:
        return
    done = f"{len(run.finished)} of {len(run.recipe.members)} models finished"
    best = f"; held-out accuracy of the last one {held_out['accuracy'].iloc[-1]:.1%}" if len(held_out) else ""
    st.plotly_chart(
        charts_training.loss_curves(steps, held_out, title=f"{done}{best}", dark=charts.dark()),
        key=f"losses {run.name}",
        config=charts.chart("wobble-train"),
        alt=f"Training loss of {run.name}: {done}{best}",
    )


def shown(run: runs.Run) -> None:
    """One run: how it stands, its losses, its models."""
    recipe, events = run.recipe, progress(run)
    when = datetime.fromtimestamp(run.created).strftime("%d %b %H:%M")
    st.html(
        f"<p class='w-line'><b>{escape(run.name)}</b> <span class='w-badge {run.state}'>{STATES[run.state]}</span> "
        f"<span class='w-faint'>{escape(recipe.base)} on {escape(recipe.data.name)}, "
        f"{plural(recipe.examples, 'example')}, {plural(recipe.epochs, 'epoch')}, {recipe.method}, {when}</span></p>"
    )
    if run.state == "queued":
        st.caption(f"Waiting: {run.ahead} before it." if run.ahead else "Starting …")
    if run.state == "running":
        share, said = fraction(events, len(recipe.members))
        st.progress(min(share, 1.0), markup.escape_markdown(said[0].upper() + said[1:]))
    if run.state in ("failed", "killed"):
        st.error(markup.escape_markdown(run.message), icon=":material/error:")
    if run.state == "cancelled":
        st.caption(f"Cancelled after {len(run.finished)} of {len(recipe.members)} models.")
    curves(run, events)
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
        take_away.code(lambda: training_script(run), name=run.name)
    log = run.folder / "worker.log"
    if run.state in ("failed", "killed") and log.is_file():
        with st.expander("What the libraries said"):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            st.code("\n".join(lines[-LOG_LINES:]) or "nothing", language=None)


def buttons(run: runs.Run) -> None:
    """What can be done with a run: cancelled, opened, removed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        # Callbacks, here and below: a run of the page that is cut short would forget which button was pressed.
        if run.state in LIVE:
            st.button(
                "Cancel",
                key=f"cancel {run.name}",
                icon=":material/stop_circle:",
                on_click=work.attempt,
                args=(lambda: runs.cancel(run.name),),
            )
        if len(run.finished) > 1:
            st.page_link(
                "pages/seeds.py", label="Open on the Seeds page", icon=":material/psychology_alt:",
                query_params={"family": run.id},
            )  # fmt: skip
        if run.state not in LIVE:
            with st.popover("Remove", icon=":material/delete:"):
                st.write("The run and its models are deleted. This cannot be undone.")
                st.button(
                    "Delete", key=f"remove {run.name}", type="primary", on_click=work.attempt,
                    args=(lambda: runs.remove(run.name),),
                )  # fmt: skip


def live() -> None:
    """The runs that wait or train; looked at again and again while there are any."""
    going = [run for run in runs.runs() if run.state in LIVE]
    names = {run.name for run in going}
    before = st.session_state.get("going", set())
    st.session_state.going = names
    if before - names:
        # One has ended: the whole page shows it among the others, and the catalog knows its models.
        sidebar.model_ids.clear()
        st.rerun()
    for run in going:
        with st.container(border=True):
            shown(run)


subject.routed()
st.html(
    "<p class='w-verdict'>Train the same recipe with several seeds, and see what chance decides.</p>"
    "<p class='w-line w-faint'>A run trains in a process of its own: pages go on, and a closed window stops nothing. One trains at "
    "a time, the others wait. What is finished is a model like all others, on every page.</p>"
)
if settings().runs_dir is None:
    st.info("Training is switched off here: whoever runs Wobble can name a folder with WOBBLE_RUNS_DIR.")
    st.stop()
is_going = any(run.state in LIVE for run in runs.runs())
st.fragment(run_every=LOOK if is_going else None)(live)()
with st.expander(
    "A new run", expanded=not is_going and "run" not in state.store().values, icon=":material/model_training:"
):
    chosen = labelled_data.labelled_data("train")
    if chosen is not None:
        source, data = chosen
        ready = recipe_form(source, data)
        # The callback only asks: what it would hold from when the button was drawn can be older than what was typed since.
        st.button(
            "Start", type="primary", disabled=ready is None, icon=":material/play_arrow:",
            on_click=state.changing(start=True),
        )  # fmt: skip
        if state.store().values.get("start"):
            state.store().change(start=False)
            if ready is not None:
                start(state.store(), ready[0], data, ready[1])
                st.rerun()
ended = [run for run in runs.runs() if run.state not in LIVE]
if ended:
    st.subheader("Runs that have ended")
    for place, run in enumerate(ended):
        with st.expander(
            markup.escape_markdown(
                f"{run.name}: {STATES[run.state]}, {len(run.finished)} of {len(run.recipe.members)} models"
            ),
            expanded=place == 0,
        ):
            shown(run)
elif not is_going:
    st.caption("No run yet: start the first one. 500 examples take the embedded encoder well under a minute a seed.")
