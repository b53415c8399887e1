# make ui    sets everything up and serves http://127.0.0.1:5000, data in ./minleaf-data
# make test  sets everything up and runs every test
# make integrations  installs the frameworks that log to MLflow (several GB) and runs them against a server
# make bench measures Minleaf beside MLflow and FastTrackML (docs/benchmarks.md); ARGS=--quick is shorter
# make lint  style, types and the direction of imports
#
# Works with uv where it is installed, else with python -m venv and pip. Running it again installs nothing twice.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
INSTALL = $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet)
# What an editable install depends on: the list of dependencies, and what static/vendor is built from.
INPUTS := pyproject.toml hatch_build.py $(wildcard package.json package-lock.json build.mjs) \
	$(shell find static -path static/vendor -prune -o -type f -print)
TESTS ?= tests
JOBS ?= 2

.PHONY: ui test integrations bench lint chromium clean

ui: $(VENV)/.server
	$(BIN)/minleaf ui $(ARGS)

test: $(VENV)/.dev chromium
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(TESTS) $(ARGS)

# In an environment of their own, because of their size and of what they demand of each other.
integrations:
	$(MAKE) VENV=.venv-integrations .venv-integrations/.integrations
	.venv-integrations/bin/pytest -m "integration or not integration" tests/integrations $(ARGS)

$(VENV)/.integrations: $(VENV)/.dev
	$(INSTALL) -e ".[server,postgres,s3,dev,integrations]"
	@touch $@

# FastTrackML's package wants an old MLflow beside it, of which its server, a single program, uses nothing.
bench: $(VENV)/.dev
	$(INSTALL) -e ".[server,postgres,dev,bench]"
	$(INSTALL) --no-deps fasttrackml==0.6.0
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) dist node_modules static/vendor

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Minleaf needs Python 3.11 or newer, and no python3 on the PATH is. Give one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(if $(UV),uv venv --quiet --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.server: $(INPUTS) | $(VENV)/bin/python
	$(INSTALL) -e ".[server]"
	@touch $@

$(VENV)/.dev: $(INPUTS) | $(VENV)/bin/python
	$(INSTALL) -e ".[server,postgres,s3,dev]"
	@touch $@ $(VENV)/.server

# The pages are tested in a real Chromium, found as `chromium` on the PATH.
chromium:
	@command -v chromium >/dev/null || { \
		if ! command -v apt-get >/dev/null; then \
			echo "The tests of the pages need Chromium: install it so that the PATH has a command chromium." >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then root=; elif command -v sudo >/dev/null; then root=sudo; else \
			echo "The tests of the pages need Chromium. As root: apt-get install chromium" >&2; exit 1; fi; \
		echo "Installing Chromium for the tests of the pages"; \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends chromium; }
