"""The link that holds the whole state, for others to open."""

import streamlit as st
from streamlit import net_util

from pages import state
from pages.store import written

EVERYWHERE = (None, "", "0.0.0.0", "::")
"""Values of `server.address` with which the server listens on all of the computer's addresses."""

_component = state.component("copy_link", "<button type='button' class='w-action w-copy'>Copy link</button>\n")


def button() -> None:
    """Draw the button; what it copies names model and sentence also where they are the defaults."""
    found = state.store()
    always = {name: written(found.fields[name].default) for name in ("model", "sentence")}
    # The state, so that what was said of an older link goes when it changes.
    _component(key="copy link", data={"always": always, "host": network_host(), "state": found.query()})


def answer() -> None:
    """Draw the place where the button says what became of the link."""
    st.html("<div class='w-copied' role='status'></div>")


def network_host() -> str:
    """Where others in the computer's network reach the server, as `host:port`; empty where nobody can. Sends nothing."""
    found = net_util.get_internal_ip()
    if st.get_option("server.address") not in EVERYWHERE or found is None or found.startswith("127."):
        return ""
    return f"{found}:{st.get_option('server.port')}"
