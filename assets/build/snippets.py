"""The rated snippets of Hutto and Gilbert (ICWSM 2014) as one Parquet file with fixed splits."""

import hashlib
import json
import statistics

import pyarrow.parquet
from datasets import Dataset, Features, Value

from assets.build import sources
from assets.build.paths import DATA

DOMAINS = {
    "movie": "movieReviewSnippets",
    "product": "amazonReviewSnippets",
    "tweet": "tweets",
    "editorial": "nytEditorialSnippets",
}
CLEAR = 0.3
"""A snippet has a label where its absolute mean rating is at least this."""


def split_of(text: str) -> str:
    """The split of a text, by its hash: it never moves, and equal texts never straddle."""
    bucket = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 100
    return "train" if bucket < 75 else "validation" if bucket < 85 else "test"


def label_of(mean: float) -> int | None:
    """1 positive, 0 negative, None where the raters' mean is too near zero to say."""
    return None if abs(mean) < CLEAR else int(mean > 0)


def build() -> dict[str, int]:
    """Write assets/data/snippets.parquet; returns how many snippets each domain has."""
    folder = sources.vader()
    rows = []
    for domain, name in DOMAINS.items():
        ratings = {}
        for line in (folder / f"{name}_anonDataRatings.txt").read_text(encoding="utf-8-sig").splitlines():
            id, _, _, values = line.split("\t")
            ratings[id] = json.loads(values)
        for line in (folder / f"{name}_GroundTruth.txt").read_text(encoding="utf-8").split("\n"):
            if not line.strip():
                continue
            id, _, text = line.rstrip("\r").split("\t", 2)
            mean = statistics.fmean(ratings[id])
            rows.append(
                {
                    "text": text,
                    "rating_mean": round(mean, 4),
                    "rating_std": round(statistics.pstdev(ratings[id]), 4),
                    "domain": domain,
                    "split": split_of(text),
                    "label": label_of(mean),
                }
            )
    features = Features(
        {
            "text": Value("string"),
            "rating_mean": Value("float32"),
            "rating_std": Value("float32"),
            "domain": Value("string"),
            "split": Value("string"),
            "label": Value("int8"),
        }
    )
    DATA.mkdir(parents=True, exist_ok=True)
    table = Dataset.from_list(rows, features=features).data.table
    pyarrow.parquet.write_table(table, DATA / "snippets.parquet", compression="zstd", compression_level=19)
    return {domain: sum(row["domain"] == domain for row in rows) for domain in DOMAINS}
