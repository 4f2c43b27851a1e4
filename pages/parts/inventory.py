"""Where dropout acts in a model."""

import streamlit as st

from core.models.classifier import Classifier
from pages.parts import markup


def inventory(classifier: Classifier) -> None:
    """The dropout sites of a model with their kinds and rates."""
    with st.expander(f"{len(classifier.sites)} dropout sites of {markup.escape_markdown(classifier.id)}"):
        st.dataframe(
            [{"site": site.name, "kind": site.kind, "rate": site.rate} for site in classifier.sites], hide_index=True
        )
