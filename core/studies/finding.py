"""placeholder"""

from core.studies.study import Study


def summary(study: Study) -> str:
    total = sum(row.tried for row in study.rows)
    if not total:
        return "No edit applies to this text."
    absorbed = study.absorbed
    return f"{total} edits: {absorbed} erased by the tokenizer, {study.flips} flip it."
