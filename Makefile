# `make run` and `make test` each work alone on a fresh machine: they create .venv and install what is missing.
#
#   make run PORT=8600 HEADLESS=1         another port, and no browser window
#   make test PYTEST_ARGS="-k tokens -x"  arguments for pytest
#                                         (files of tests run side by side, one thread each)
#   make setup PYTHON=python3.12          another Python for .venv, 3.11 or newer

PYTHON ?= python3
PORT ?=
HEADLESS ?=
PYTEST_ARGS ?=
MUTANTS ?= 200
SEED ?= 0
WRITE ?=

VENV := .venv
BIN := $(VENV)/bin
# A stamp is newer than the requirements that it stands for, so a second call installs nothing.
APP := $(VENV)/.stamp-app
DEV := $(VENV)/.stamp-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check

RUN_OPTIONS := $(if $(PORT),--server.port=$(PORT)) $(if $(filter-out 0 false no,$(HEADLESS)),--server.headless=true)

# $(call apt_install,packages,the sentence for a machine where that is impossible)
define apt_install
root=; [ "$$(id -u)" = 0 ] || root=sudo; \
if command -v apt-get >/dev/null && { [ -z "$$root" ] || command -v sudo >/dev/null; }; then \
	$$root apt-get update && \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(1); \
else false; fi >&2 || { echo $(2) >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench mutants assets chromium

help:
	@echo "make run     start the app (PORT=8600, HEADLESS=1)"
	@echo "make test    lint, types and all tests (PYTEST_ARGS=...)"
	@echo "make bench   the benchmarks, as JSON"
	@echo "make mutants do the tests notice small breakages? (MUTANTS=200 SEED=0 WRITE=1)"
	@echo "make assets  rebuild the embedded models and data"
	@echo "make setup   only create .venv and install what the app needs"

setup: $(APP)

run: $(APP)
	@$(BIN)/streamlit run app.py $(RUN_OPTIONS)

test: lint chromium
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

bench: $(APP)
	@$(BIN)/python -m benchmarks

mutants: $(DEV)
	@$(BIN)/python -m tests.mutants --mutants $(MUTANTS) --seed $(SEED) $(if $(WRITE),--write)

assets: $(APP)
	@$(BIN)/python -m assets.build

chromium:
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || { $(call apt_install,chromium-headless-shell,\
	"The browser tests need Chromium: install it so that the command 'chromium' is found."); }

# Debian keeps ensurepip, without which a virtual environment has no pip, in a package of its own.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Wobble needs Python 3.11 or newer: install it, or name it, for example PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt_install,python3-venv,\
		"Python cannot create virtual environments here: install its venv module (on Debian the package python3-venv)."); }
	@$(PYTHON) -m venv --clear $(VENV)

$(APP): requirements.txt | $(BIN)/pip
	@$(PIP) install -r requirements.txt >&2
	@touch $@

$(DEV): requirements.txt requirements-dev.txt | $(BIN)/pip
	@$(PIP) install -r requirements-dev.txt >&2
	@touch $(APP) $@
