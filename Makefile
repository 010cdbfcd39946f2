# Everything runs from a private .venv made of the locked requirements; nothing needs activating.
.DELETE_ON_ERROR:
SHELL := /bin/sh
BIN := .venv/bin
CODE = $(wildcard eventlogs metagraph discovery calibration simulation optimization twin service ui \
	app.py cli.py tests benchmarks examples)

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
# Asked only when an environment is made: the first interpreter that is new enough.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null && break; done)
NEEDS_PYTHON = $(or $(PYTHON),$(error Tracetwin needs Python 3.11 or newer and found none: install one, \
	or name it with "make PYTHON=/path/to/python3"))

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: .venv/.installed build/.kernel ## make .venv with what the program needs

.PHONY: demo
demo: .venv/.installed build/.kernel ## from a bundled log to a validated twin, in under two minutes
	$(BIN)/tracetwin demo

.PHONY: app
app: .venv/.installed build/.kernel ## serve pages and REST interface, and print their address
	$(BIN)/tracetwin serve

.PHONY: test
test: .venv/.installed-dev build/.kernel ## run the whole test suite
	$(BIN)/pytest -n 2 --dist loadfile

.PHONY: check
check: .venv/.installed-dev ## format, lint, types and who may import whom
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

.PHONY: format
format: .venv/.installed-dev ## put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE = $(UV) pip compile --quiet pyproject.toml --group build --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header
.PHONY: lock
lock: $(filter .uv/%,$(UV)) ## renew the lock files (UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## remove all that make has made
	rm -rf .venv .uv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

INSTALL = $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
.venv/.installed: requirements.lock pyproject.toml $(filter .uv/%,$(UV))
	$(UV) venv --quiet --allow-existing --python $(NEEDS_PYTHON) .venv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# Simulations and the search for plans are compiled once, here, so that nobody waits for it later.
build/.kernel: .venv/.installed $(wildcard simulation/kernel*.py) simulation/program.py metagraph/rules.py \
	$(wildcard optimization/search_*.py)
	$(BIN)/python -m simulation.warm
	$(BIN)/python -m optimization.warm
	@mkdir -p build && touch $@

# pip's --target works on systems that forbid installing into their own Python.
.uv/bin/uv: requirements-uv.lock
	@$(NEEDS_PYTHON) -m pip --version >/dev/null || { echo "Installing needs uv or pip: install either." >&2; exit 1; }
	PIP_ROOT_USER_ACTION=ignore $(NEEDS_PYTHON) -m pip install --quiet --require-hashes --target .uv --upgrade -r requirements-uv.lock
	@touch $@
