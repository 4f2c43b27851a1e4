"""The engine and all that the pages share, imported as a whole.

Every page imports this before anything else, and so does router.py: the first visitors come side by side, each in a thread
of its own, and Python breaks one of two threads that import the same packages from different ends (`_DeadlockError`).
All but one of them wait here for the first.
"""

# ruff: noqa: E402, F401
from pages import _shell

# Before the seconds that importing takes: whose link came first is shown the welcome meanwhile.
_shell.through_router()

import core
from core.families import stacked  # with torch, which the engine alone imports where a model is first loaded
from core.lessons import rooms
from core.models import card, passes
from core.views import charts_training, report, tables_tokens
from pages.parts import labelled_data, menu, pieces, sidebar, tempering, variants_table, verdict
