# Everything runs in .venv, which `make setup` builds from the lock files in requirements/.
PYTHON ?= python3
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check lint servers lock

help:  ## what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready  ## build .venv from the lock files; quick when nothing changed

.venv/.ready: requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name it: make setup PYTHON=python3.11")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## move a sample mailbox between two throwaway accounts and watch it; DEMO_EXIT=1 ends with the verdict
	@$(BIN)/mailtide demo

up: setup  ## run Mailtide in one process at http://127.0.0.1:8025
	@$(BIN)/mailtide up

test: setup servers  ## every tier, on real servers
	@$(BIN)/pytest tests

check: lint  ## what must hold before a commit, in under two minutes: lint, unit and contract tests
	@$(BIN)/pytest tests/unit tests/contract

lint: setup  ## style, types and import rules
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright --level error
	@$(BIN)/lint-imports --no-cache

servers:  ## install the mail servers that the tests run (Debian packages), where they are missing
	@tests/servers/install.sh || echo "Mail servers are missing: tests that need them are skipped, or fail when CI is set."

lock: setup  ## write requirements/*.txt anew; versions stay unless pyproject.toml wants others
	@$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	@for extra in api scanner copier aggregator embedded; do \
		$(LOCK) pyproject.toml --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt || exit 1; \
	done
	@sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements/uv.txt | $(LOCK) - --output-file requirements/uv.txt
