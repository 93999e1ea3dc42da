# Everything a person or CI runs. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/.streamgauge-run
DEV := $(BIN)/.streamgauge-dev
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# The interpreter that makes the environment; the first of these that runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# How long the demo lasts; empty: its story, then on until Ctrl-C.
DEMO_SECONDS ?=
# What pytest is to run or how: make test ARGS="tests/client -k drops"
ARGS ?=

# Tests that run side by side: one more than there are cores, because many wait for a Kafka.
WORKERS ?= $(shell n=$$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1 )); \
	echo $$(( n > 4 ? 4 : n )))

# How much of it `make quiet` simulates: models in which nothing happens, and models that drift.
QUIET_MODELS ?= 200
QUIET_DAYS ?= 30
QUIET_SEED ?= 1
QUIET_DRIFTS ?= 200
# Runs of each fault.
FAULT_RUNS ?= 1
# How long the soak lasts.
SOAK_MINUTES ?= 30

# What the standard job is to measure beside its ways: make load LOAD_ARGS="--rounds 5"
LOAD_ARGS ?= --growth

.PHONY: help setup demo test lint types format schemas docs dashboards rules load load-peers quiet \
	faults soak clean

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(RUN) $(DEV) ## create .venv with everything, pinned and hashed
	@echo "setup: ready"

demo: $(RUN) ## the product on one machine, on real data: make demo [DEMO_SECONDS=120]
	@DEMO_SECONDS=$(DEMO_SECONDS) exec $(BIN)/python -m services.stack.demo

test: $(RUN) $(DEV) ## the suite: make test [ARGS="tests/client"]
ifeq ($(strip $(ARGS)),)
	@echo "test: 1 of 2: all that can run side by side"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not alone"; first=$$?; \
		echo "test: 2 of 2: what holds a clock against a promise, one test at a time"; \
		$(BIN)/python -m pytest -m "alone and not slow" tests/integration && exit $$first
else
	@$(BIN)/python -m pytest $(ARGS)
endif

lint: $(RUN) $(DEV) ## style, formatting and the layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(RUN) $(DEV) ## mypy --strict over code and tests
	@$(BIN)/mypy

format: $(RUN) $(DEV) ## rewrite the code in its own style
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

schemas: $(RUN) ## write the generated half of schemas/ anew
	@$(BIN)/python -m streamgauge_client.schema

dashboards: $(RUN) $(DEV) ## write Grafana's dashboards anew, from deploy/grafana
	@$(BIN)/python -m deploy.grafana

rules: $(RUN) ## write Prometheus' rules anew for its operator, from deploy/prometheus
	@$(BIN)/python -m deploy.kubernetes.rules

docs: $(RUN) ## write the generated half of docs/ anew
	@$(BIN)/python -m streamgauge.manual

load: $(RUN) $(DEV) ## how fast it is here, beside others and in ratios: make load [LOAD_ARGS=--growth]
	@beyond=; for script in load_tests/*.py \
			"-m load_tests.standard_job $(LOAD_ARGS)"; do echo "load: $$script"; \
		$(BIN)/python $$script || beyond="$$beyond $$script"; done; \
		test -z "$$beyond" || { echo "load: beyond a limit:$$beyond"; exit 1; }

load-peers: $(RUN) ## whylogs and Evidently for `make load`, each in an environment of its own
	@$(BIN)/python -m load_tests.standard_job --peers

quiet: $(RUN) ## months in which nothing happens, simulated: make quiet [QUIET_MODELS=200] [QUIET_DAYS=30]
	@$(BIN)/python -m load_tests.quiet --models $(QUIET_MODELS) --days $(QUIET_DAYS) \
		--seed $(QUIET_SEED) --drifts $(QUIET_DRIFTS)

faults: $(RUN) $(DEV) ## kills, outages and lost writes on a real Kafka and Redis: make faults [FAULT_RUNS=1]
	@$(BIN)/python -m load_tests.faults --runs $(FAULT_RUNS)

soak: $(RUN) $(DEV) ## one monitor, an outage a minute, and what its memory does: make soak [SOAK_MINUTES=30]
	@$(BIN)/python -m load_tests.faults.soak --minutes $(SOAK_MINUTES)

clean: ## remove .venv and every cache
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

# Stamps, so that a second run starts at once.
$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "setup: Python 3.11 or newer is needed; found: $$(python3 --version 2>&1 || echo none)."; \
		echo "setup: install one (python3.11, python3.12 or python3.13), or name it: make setup PYTHON=/path/to/python3"; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "setup: $(PYTHON) is older than 3.11"; exit 1; }
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "setup: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; \
		exit 1; }

# Third-party packages by hash first, then our two by path: pip refuses editables in hash mode.
$(RUN): $(BIN)/python constraints.txt pyproject.toml schemas/pyproject.toml
	@echo "setup: $$(grep -c '^[a-z].*==' constraints.txt) pinned packages (a first time takes about 20 seconds)"
	@$(PIP) install --require-hashes -r constraints.txt
	@echo "setup: streamgauge and streamgauge-client from this checkout"
	@$(PIP) install --no-deps --no-build-isolation -e schemas -e .
	@touch $@

$(DEV): $(RUN) constraints-dev.txt
	@echo "setup: the tools for tests, lint and types"
	@$(PIP) install --require-hashes -r constraints-dev.txt
	@touch $@
