# Needs Python 3.11 or newer and GNU make 4. Everything else is installed into this folder.
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
# A distribution compiles its Python with optimisation, pyenv does not unless told to: an eighth more
# CPU. UV_PYTHON=3.13, or a path, takes another one.
PYTHONS := $(wildcard $(foreach minor,14 13 12 11,/usr/bin/python3.$(minor)))
ifneq ($(PYTHONS),)
export UV_PYTHON ?= $(firstword $(PYTHONS))
endif

.PHONY: help demo test check format unit contract browser test-weaviate stack-test histories stack stack-down bench bench-main docs clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.ready ## The main job on this machine: database changes become vectors
	$(BIN)/vecsink demo

# Two at a time: the stack's tests mostly wait, and what is nice leaves them the processor.
test: .venv/.ready ## Everything: lint, types, tests, and the real servers, side by side
	$(MAKE) --jobs=2 --keep-going --output-sync=target --no-print-directory \
	  stack-test test-weaviate check unit histories contract browser

check: .venv/.ready ## Lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

unit: .venv/.ready ## Tests without servers
	nice $(BIN)/pytest tests/unit tests/pipeline

contract: .venv/.ready ## One suite per port, on fakes and on what runs in-process; but for Weaviate's
	$(BIN)/pytest tests/contract --ignore=tests/contract/test_store_weaviate.py

browser: .venv/.ready ## The console in Debian's Chromium, fetched once
	$(BIN)/pytest tests/browser

test-weaviate: .venv/.ready ## The Weaviate store on a real server, built once with Go (minutes), and a history in it
	nice $(BIN)/python -m tests.stack weaviate
	$(BIN)/pytest tests/contract/test_store_weaviate.py
	VECSINK_HISTORIES_STORE=weaviate $(BIN)/pytest tests/stack/histories -k after_any_history

stack-test: .venv/.ready ## End to end on real Kafka, Debezium, registry and databases
	$(BIN)/pytest tests/stack --ignore=tests/stack/histories

histories: .venv/.ready ## Whatever SQL, whatever befalls the workers: random histories on the same servers
	$(BIN)/pytest tests/stack/histories

stack: .venv/.ready ## Start the real servers to play with
	$(BIN)/python -m tests.stack up

stack-down: .venv/.ready ## Stop them
	$(BIN)/python -m tests.stack down

bench: .venv/.ready ## Ratios: each step and the whole engine, against the bare loop
	$(BIN)/python -m benchmarks

bench-main: .venv/.ready ## The main job as users run it, and its hard cases
	$(BIN)/python -m benchmarks.main_job

format: .venv/.ready ## Rewrite what the formatter wants otherwise
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.ready ## Regenerate the configuration page and the JSON schema
	$(BIN)/python -m worker.config.describe --write

clean: ## Remove what was installed and downloaded
	rm -rf .venv .uv .stack .mypy_cache .pytest_cache .ruff_cache

.venv/.ready: pyproject.toml uv.lock
	@command -v $(UV) >/dev/null || { python3 -m venv .uv && .uv/bin/pip install --quiet uv==$(UV_VERSION); }
	$(UV) sync --frozen --extra all --compile-bytecode --quiet
	@touch $@
