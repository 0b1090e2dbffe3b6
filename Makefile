# Everything runs in .venv, which `make setup` builds from the lock files in requirements/.
PYTHON ?= python3
BENCH ?= --write
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11

.DEFAULT_GOAL := help
PAGES := services/api/dashboard
PAGE_SOURCES := $(shell find $(PAGES) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/tests/*' \
	-not -name schema.ts -not -name openapi.json) $(wildcard services/api/*.py libs/contracts/*.py)
PAGE_TESTS := if command -v npm >/dev/null; then cd $(PAGES) && npm run --silent check && npm test --silent; fi

.PHONY: help setup demo up test faults soak check lint dashboard schemas screenshots kafka servers bench bench-pipeline lock

help:  ## what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready  ## build .venv from the lock files; quick when nothing changed

.venv/.ready: requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name it: make setup PYTHON=python3.11")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup dashboard  ## move a sample mailbox between two throwaway accounts and watch it; DEMO_EXIT=1 ends with the verdict
	@$(BIN)/mailtide demo

up: setup dashboard  ## run Mailtide in one process at http://127.0.0.1:8025
	@$(BIN)/mailtide up

test: setup dashboard servers  ## every tier, on real servers
	@$(PAGE_TESTS)
	@$(BIN)/pytest tests/e2e # on their own: the browser's event loop stays open in the process
	@$(BIN)/pytest --numprocesses 2 tests/unit tests/architecture tests/contract
	@$(BIN)/pytest --clickhouse http tests/contract/test_[!e]*.py
	@$(BIN)/pytest tests/acceptance tests/distributed tests/integration

N ?= 1000
faults: setup servers  ## N random schedules of faults on a real server, about three a second: make faults N=10000
	@$(BIN)/python -m tests.integration.fault_schedules $(N)

check: lint dashboard  ## what must hold before a commit, in under two minutes: lint, unit and contract tests
	@$(PAGE_TESTS)
	@$(BIN)/pytest --numprocesses 4 tests/unit tests/contract # many of them wait

MINUTES ?= 30
soak: setup servers  ## 20 jobs at once on a broker and separate processes, then faults at random: make soak MINUTES=120
	@$(BIN)/python -m tests.distributed.mix $(MINUTES)

lint: setup  ## style, types and import rules
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright --level error
	@$(BIN)/lint-imports --no-cache

dashboard: setup $(PAGES)/dist/index.html  ## build the pages that the api serves; needs Node 20 or newer

$(PAGES)/dist/index.html: $(PAGE_SOURCES)
	@if command -v npm >/dev/null; then \
		cmp -s $(PAGES)/package-lock.json $(PAGES)/node_modules/.installed || \
			{ npm ci --prefix $(PAGES) --silent --ignore-scripts && cp $(PAGES)/package-lock.json $(PAGES)/node_modules/.installed; } && \
		$(BIN)/python -m services.api.dashboard.openapi > $(PAGES)/src/api/openapi.json && \
		cd $(PAGES) && npm run --silent types >/dev/null && npm run --silent build -- --logLevel warn; \
	else echo "npm is missing: the pages are not built, and a job's address shows its data only."; fi

schemas: setup  ## write docs/schemas/ anew; refused where a reader would miss something
	@$(BIN)/python -m services.api.integrations docs/schemas

screenshots: setup dashboard  ## pictures of every page and state into build/screenshots; needs Chromium
	@$(BIN)/python -m tests.e2e.screenshots build/screenshots

KAFKA_PORT ?= 9092
kafka: setup  ## run a Kafka broker at 127.0.0.1:9092 with its data in data/kafka; needs Java 17 and Maven: make kafka KAFKA_PORT=19092
	@deploy/local/kafka.sh $(CURDIR)/data/kafka $(KAFKA_PORT)

servers:  ## install the mail servers, the browser and the broker that the tests run, where they are missing
	@tests/servers/install.sh || echo "Mail servers, the browser or the broker are missing: tests that need them are skipped, or fail when CI is set."

bench: setup  ## measure against the peers (Debian packages, half an hour); BENCH="--media tmpfs --write" measures in memory only
	@tests/bench/install.sh
	@$(BIN)/python -m tests.bench $(BENCH)

bench-pipeline: setup servers  ## measure progress events from a broker to the browser, six minutes; some parts: PARTS="growth streams"
	@$(BIN)/python -m tests.bench.pipeline $(PARTS)

lock: setup  ## write requirements/*.txt anew; versions stay unless pyproject.toml wants others
	@$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	@for extra in api scanner copier aggregator embedded; do \
		$(LOCK) pyproject.toml --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt || exit 1; \
	done
	@sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements/uv.txt | $(LOCK) - --output-file requirements/uv.txt
