"""A sentence and its variants at T = 1 and at another T, as the Temperature page shows them."""

from typing import Any

import numpy as np
import pandas as pd

from core.factors.case import Case, Reference
from core.studies.study import Study
from core.text.visible import visible
from core.views.documents import unique
from core.views.tables import fate_of, ranked, tokens_line


def tempered_rows(study: Study, temperature: float, most: int) -> pd.DataFrame:
    """Your sentence and the variants that move it most: what `charts.tempered_strip` reads, and more.

    Args:
        study: at T = 1, of a head with labels.
        most: variants beside the sentence; only those that reach the model.

    Returns:
        The columns `name`, `text`, `visible`, `tokens`, `label` (at T), and twice, at T = 1 and at T: `p_before` and `p_after`
        (arrays `[n_labels]`), `before` and `after` (margins), `said_before` and `said_after` (probabilities as a line),
        `entropy_before` and `entropy_after` (nats).
    """
    head, labels, reference = study.head, study.labels, study.reference
    reaching = {key: case for key, (_, case) in study.keyed().items() if case.reaches}
    beside = dict(list(reaching.items())[:most])
    shown: list[Reference | Case] = [reference, *beside.values()]
    logits, q = np.stack([one.logits for one in shown]), head.probabilities(reference.logits)
    columns: dict[str, Any] = {
        "name": ["your sentence", *beside],
        "text": [one.text for one in shown],
        "visible": [visible(one.text[:200]) for one in shown],
        "tokens": [tokens_line(one.encoding) for one in shown],
        # No temperature changes it.
        "label": [head.label(row, labels) for row in head.probabilities(logits, temperature)],
    }
    for name, t in (("before", 1.0), ("after", temperature)):
        p = head.probabilities(logits, t)
        columns |= {
            name: head.margins(p, q),
            f"p_{name}": list(p),
            f"said_{name}": [ranked(row, labels) for row in p],
            f"entropy_{name}": list(head.entropy(p)),
        }
    return pd.DataFrame(columns)


def tempered_frame(study: Study, temperature: float) -> pd.DataFrame:
    """The sentence and its cases at T = 1 and at another T, for a download: probabilities (one column a label), entropy in nats
    and margin, each twice. Nothing runs: the logits are the study's.
    """
    head, named, reference = study.head, study.keyed(), study.reference
    cases = [case for _, case in named.values()]
    logits = np.stack([reference.logits, *(case.logits for case in cases)])
    columns: dict[str, Any] = {
        "model": study.model,
        "variant": ["your sentence", *named],
        "text": [reference.text, *(case.text for case in cases)],
        "fate": ["reference", *(fate_of(row, case) for row, case in named.values())],
        "temperature": temperature,
    }
    for at, t in (("T = 1", 1.0), ("T", temperature)):
        p = head.probabilities(logits, t)
        columns[f"label at {at}"] = [head.label(row, study.labels) for row in p]
        columns |= {f"p({name}) at {at}": p[:, i] for i, name in enumerate(unique(study.labels))}
        columns[f"entropy at {at}"] = head.entropy(p)
        columns[f"margin at {at}"] = head.margins(p, head.probabilities(reference.logits))
    return pd.DataFrame(columns)
