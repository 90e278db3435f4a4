# Everything that a person does often is one target here, and each sets up what it needs by itself.
# `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
MINUTES ?= 10
SESSIONS ?= 1000
# More arguments for pytest: `make test ARGS="-k gift_card"`; `ARGS=-n0` runs one test after the other.
ARGS ?=
# Most of a test's time is waiting for real processes and a browser; a file's tests stay together.
WORKERS ?= 3
# Each worker reads every test, and tests start some hundred processes: what one compiled, the next ones find.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
READY := .venv/.ready
UV := $(shell command -v uv)
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Next: make demo, then open the page that it names."

.PHONY: demo
demo: $(READY) ## Run a small chain on this machine: tills, a head office, and a switch to cut the line
	$(BIN)/holdfast demo

.PHONY: test
test: $(READY) ## Run every test but the long ones; installs Chromium where there is none
	@chromium=$$(scripts/ensure-chromium); export HOLDFAST_CHROMIUM=$$chromium; set -x; \
	$(BIN)/pytest tests --ignore=tests/acceptance -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: check
check: $(READY) ## Check style, types, import rules and docs; takes seconds
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/unit/test_features.py tests/unit/test_repository.py tests/unit/test_reference_docs.py

.PHONY: fix
fix: $(READY) ## Put style right where a machine can; then make check
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: docs
docs: $(READY) ## Write the reference that is made from the code, docs/reference, anew
	$(BIN)/python scripts/reference_docs.py

.PHONY: screenshots
screenshots: $(READY) ## Take the pictures of docs/img anew, of each page at both sizes; takes two or three minutes
	$(BIN)/python -m scripts.screenshots

.PHONY: bench
bench: $(READY) ## Measure speed and size, each figure beside its limit
	$(BIN)/python -m bench

.PHONY: accept
accept: $(READY) ## Run the long acceptance tests against real processes, showing what they do
	@chromium=$$(scripts/ensure-chromium); export HOLDFAST_CHROMIUM=$$chromium; set -x; \
	$(BIN)/pytest tests/acceptance -x -s $(ARGS)

.PHONY: sessions
sessions: $(READY) ## Live SESSIONS=1000 random cashier sessions; one that fails prints how to see it again
	HOLDFAST_SESSIONS=$(SESSIONS) $(BIN)/pytest -s tests/property/test_sessions.py $(ARGS)

.PHONY: soak
soak: $(READY) ## Simulate a chain under faults for MINUTES=10; a failing seed prints how to replay it
	$(BIN)/holdfast simulate --minutes $(MINUTES)

.PHONY: lock
lock: ## Compile requirements/ again after a change in pyproject.toml (needs uv; UPGRADE=--upgrade for newer ones)
	@if [ -z "$(UV)" ]; then echo "make lock needs uv: pip install uv, then make lock again."; exit 1; fi
	uv $(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements/runtime.txt
	uv $(COMPILE) $(UPGRADE) pyproject.toml --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt

.PHONY: clean
clean: ## Remove all that make made, .venv and the demo's data included; the next target makes it again
	rm -rf .venv build dist out var .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf src/holdfast/infra/static/vendor
	find src tests bench build_hooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# One rule sets up .venv. The build backend comes from dev.txt, by hash, so --no-build-isolation fetches nothing unpinned.
$(READY): requirements/dev.txt pyproject.toml build_hooks/frontend.py frontend/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Holdfast needs Python 3.11 or newer; set PYTHON=")'
	@echo "Setting up .venv (about a minute, once)"
ifdef UV
	@uv venv --quiet --allow-existing --python $(PYTHON) .venv
	@uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@
