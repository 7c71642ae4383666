# Every way to run, test and change Parley. `make help` lists them; each installs what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
DEV := $(BIN)/python -m infra.dev
PYTEST := $(BIN)/python -m pytest
ARGS ?=

# Marks of what .venv holds; they are older than a lock that has changed, which then is installed again.
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready
BENCH_READY := .venv/.bench-ready
ENGINE_READY := .venv/.engine-ready

.PHONY: help setup setup-dev engine engine-cuda run up down status servers check format test test-full bench lock upgrade clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(RUN_READY) ## Make .venv with the parley command and what it needs at run time

setup-dev: $(DEV_READY) ## The same with the tools for tests and checks

$(RUN_READY): requirements/run.lock requirements/uv.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "setup: $(PYTHON) is not there; install Python 3.11 or newer, or name it: make setup PYTHON=..." >&2; exit 2; }
	@$(PYTHON) infra/dev/bootstrap.py run
	@touch $@

$(DEV_READY): requirements/dev.lock $(RUN_READY)
	@$(PYTHON) infra/dev/bootstrap.py dev
	@touch $@

$(BENCH_READY): requirements/bench.lock $(DEV_READY)
	@$(PYTHON) infra/dev/bootstrap.py bench
	@touch $@

$(ENGINE_READY): requirements/engine.lock $(DEV_READY)
	@$(PYTHON) infra/dev/bootstrap.py engine
	@touch $@

engine: $(ENGINE_READY) ## vLLM as built for CPUs (Linux x86-64, 5.9 GB), and what onnx needs: then make run ARGS="--generator vllm"

engine-cuda: $(RUN_READY) ## vLLM for GPUs with CUDA, its newest release, unpinned: then make run ARGS="--generator vllm"
	@$(PYTHON) infra/dev/bootstrap.py engine-cuda

run: $(RUN_READY) ## Everything in one process, no servers: open the address that it prints (ARGS="--port 8090")
	@exec $(BIN)/parley run $(ARGS)

up: $(RUN_READY) ## The distributed form on this machine: Kafka, PostgreSQL, Weaviate, gateway and each worker a process
	@$(DEV) up $(ARGS)

down: $(RUN_READY) ## Stop what `make up` started; the data stays
	@$(DEV) down $(ARGS)

status: $(RUN_READY) ## Who is up, and how far behind each worker is
	@$(DEV) exec parley status $(ARGS)

servers: $(DEV_READY) ## Fetch what tests need besides Python: Java, Kafka, PostgreSQL, Weaviate, Chromium
	@$(DEV) install kafka postgres weaviate chromium

check: $(DEV_READY) ## Format, lint, types and the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) tests/unit tests/replay $(ARGS)

format: $(DEV_READY) ## Write the code the way `make check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: servers $(ENGINE_READY) ## All tests on real Kafka, PostgreSQL, Weaviate, Chromium and vLLM, those of minutes left out (ARGS="-k name")
	PARLEY_REQUIRE_SERVERS=1 $(PYTEST) -rs -m "not slow" $(ARGS)

test-full: servers $(ENGINE_READY) ## All tests
	PARLEY_REQUIRE_SERVERS=1 $(PYTEST) -rs $(ARGS)

bench: $(BENCH_READY) ## The benchmarks, one JSON line each (ARGS="name ...")
	@$(DEV) install kafka postgres weaviate
	@$(BIN)/python -m benchmarks $(ARGS)

lock: ## Make the locks anew where pyproject.toml asks for more; versions stay where they can
	@$(PYTHON) infra/dev/bootstrap.py lock

upgrade: ## Make the locks anew with the newest versions
	@$(PYTHON) infra/dev/bootstrap.py lock --upgrade

clean: ## Remove .venv and what tools left behind; data and caches outside the checkout stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis build dist *.egg-info tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
