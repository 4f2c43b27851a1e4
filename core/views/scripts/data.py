"""Short scripts on plain transformers over labelled texts: calibration, the seeds on data, and the way between two of them.

Each reads the Parquet file that the page offers beside it, so that its texts are those of the page.
"""

from textwrap import dedent

from core.families.seeds import MOST_ON_THE_WAY, Family
from core.models.classifier import Classifier
from core.models.heads import RESAMPLES
from core.studies.calibration import BINS, SEARCHED
from core.training.recipe import PARTS
from core.views.scripts import imports_of, load_lines, member_lines
from core.views.tables import unique

CALIBRATION_FILE = "wobble-calibration.parquet"
SEEDS_FILE = "wobble-seeds-data.parquet"
BATCH = 32


def _predicting(classifier: Classifier) -> str:
    """The function that gives the logits of texts."""
    size = BATCH if classifier.batching == "padded" else 1
    padding = ", padding=True" if size > 1 else ""
    return dedent(f"""\
        def predicted(model, texts):
            rows = []
            for i in range(0, len(texts), {size}):
                inputs = tokenizer(
                    texts[i : i + {size}], return_tensors="pt"{padding}, truncation=True, max_length={classifier.limit}
                )
                with torch.inference_mode():
                    rows.append(model(**inputs).logits.double())
            return torch.cat(rows).numpy()


        def probabilities(logits, temperature=1.0):
            return torch.softmax(torch.from_numpy(logits / temperature), -1).numpy()


        def nll(p, labels):
            return -np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-300))
        """)


def calibration_script(classifier: Classifier) -> str:
    """A script that fits the temperature and prints accuracy, ECE, NLL and Brier score, each with its interval, before and
    after, one JSON object a line. It reads `CALIBRATION_FILE` (`core.views.tables.calibration_frame`).
    """
    head = "\n".join(
        [
            "import json",
            "",
            "import numpy as np",
            "import pandas as pd",
            *imports_of(classifier),
            "from scipy.optimize import minimize_scalar",
            "",
            *load_lines(classifier),
            f"frame = pd.read_parquet({CALIBRATION_FILE!r})  # the download beside this script",
            "",
            "",
            _predicting(classifier),
        ]
    )
    return f"{head}\n\n" + dedent(f"""\
        (fit, fit_labels), (test, labels) = [
            (predicted(model, list(rows["text"])), rows["label"].to_numpy())
            for rows in (frame[frame["part"] == "fit"], frame[frame["part"] == "test"])
        ]
        found = minimize_scalar(
            lambda log_t: nll(probabilities(fit, np.exp(log_t)), fit_labels).mean(),
            bounds=np.log({SEARCHED}), method="bounded", options={{"xatol": 1e-6}},
        )
        drawn = np.random.default_rng(0).integers(0, len(labels), size=({RESAMPLES}, len(labels)))
        for temperature in (1.0, float(np.exp(found.x))):
            p = probabilities(test, temperature)
            confidence, right = p.max(1), p.argmax(1) == labels
            bins = np.clip(np.ceil(confidence * {BINS}).astype(int) - 1, 0, {BINS - 1})
            losses, squares = nll(p, labels), ((p - np.eye(p.shape[1])[labels]) ** 2).sum(1)

            def ece(rows):
                return np.abs(np.bincount(bins[rows], (right - confidence)[rows], minlength={BINS})).sum() / len(rows)

            scores = {{
                "ece": (ece(np.arange(len(labels))), [ece(rows) for rows in drawn]),
                "nll": (losses.mean(), losses[drawn].mean(1)),
                "brier": (squares.mean(), squares[drawn].mean(1)),
            }}
            print(json.dumps({{
                "temperature": temperature, "accuracy": right.mean(),
                **{{name: [value, *np.percentile(others, [2.5, 97.5])] for name, (value, others) in scores.items()}},
            }}))
        """)


def _family_head(family: Family, *modules: str) -> str:
    """The part that all scripts of a family share: `loaded(name)`, the tokenizer, the texts and their labels."""
    members, load = member_lines(family)
    return "\n".join(
        [
            *(f"import {module}" for module in (*modules, "json")),
            "",
            "import numpy as np",
            "import pandas as pd",
            *imports_of(family.first),
            "",
            load_lines(family.first)[0],
            "members = {",
            *members,
            "}",
            "",
            "",
            "def loaded(name):",
            "    folder = members[name]",
            *(f"    {line}" for line in load),
            "    return model",
            "",
            "",
            _predicting(family.first),
            "",
            f"frame = pd.read_parquet({SEEDS_FILE!r})  # the download beside this script",
            f"names = {list(unique(family.first.labels))!r}",
            "texts, labels = list(frame['text']), np.array([names.index(name) for name in frame['label']])",
            "",
        ]
    )


def on_data_script(family: Family) -> str:
    """A script that prints the accuracy of each member, the pairwise disagreement, and for each source of chance that varies
    alone the disagreement and the shift, one JSON object a line. It reads `SEEDS_FILE` (`core.views.tables.on_data_frame`).
    """
    seeds = {member.name: [getattr(member.seeds, part) for part in PARTS] for member in family.members}
    return (
        _family_head(family)
        + dedent("""\
        found = {name: probabilities(predicted(loaded(name), texts)) for name in members}
        for name, p in found.items():
            print(json.dumps({"seed": name, "accuracy": (p.argmax(1) == labels).mean()}))


        def apart(a, b):
            return np.array([(p.argmax(1) != q.argmax(1)).mean() for p, q in zip(a, b)]).mean()


        order = list(members)
        pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
        print(json.dumps({"disagreement": apart([found[a] for a, _ in pairs], [found[b] for _, b in pairs])}))
        """)
        + "\n".join(
            [
                f"parts = {list(PARTS)!r}",
                "seeds = {",
                *(f"    {name!r}: {own!r}," for name, own in seeds.items()),
                "}",
                "for k, part in enumerate(parts):",
                "    alone = [(a, b) for a, b in pairs if [i for i in range(len(parts)) if seeds[a][i] != seeds[b][i]] == [k]]",
                "    if alone:",
                "        one, other = [found[a] for a, _ in alone], [found[b] for _, b in alone]",
                "        shift = np.mean([0.5 * np.abs(p - q).sum(1) for p, q in zip(one, other)])",
                "        print(json.dumps({'part': part, 'disagreement': apart(one, other), 'shift': shift}))",
                "",
            ]
        )
    )


def way_script(family: Family, first: str, second: str, text: str, points: int = 11, temperature: float = 1.0) -> str:
    """A script that prints loss, accuracy and the probabilities of a text on the straight line between the weights of two
    members, one JSON object a line. It reads `SEEDS_FILE` (`core.views.tables.on_data_frame`).
    """
    return _family_head(family, "copy") + dedent(f"""\
        text = {text!a}
        some = np.sort(np.random.default_rng(0).permutation(len(texts))[:{MOST_ON_THE_WAY}])
        labels, one, other = labels[some], loaded({first!r}), loaded({second!r})
        for share in np.linspace(0, 1, {points}):
            mixed = copy.deepcopy(one)
            for parameter, a, b in zip(mixed.parameters(), one.parameters(), other.parameters()):
                parameter.data = torch.lerp(a.data, b.data, float(share))
            p = probabilities(predicted(mixed, [texts[i] for i in some]))
            print(json.dumps({{
                "share": share, "loss": nll(p, labels).mean(), "accuracy": (p.argmax(1) == labels).mean(),
                "sentence": probabilities(predicted(mixed, [text]), {temperature!r})[0].tolist(),
            }}))
        """)
