# Everything a newcomer needs: `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
JUDGES := tests/gates/node_modules/.package-lock.json

.PHONY: help demo install test slow looks gates judged lighthouse approve check bench words lock prove clean format

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Install, publish the sample content, serve it with a worker and an inbox
	@exec $(BIN)/blog demo --port $(PORT)

install: $(RUNTIME) ## Make the .venv from the hashed lock

APART := not crash and not looks and not gates

test: $(DEVELOPMENT) ## Install what the tests need and run them on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser and $(APART)" $(ARGS)

slow: $(DEVELOPMENT) ## Run the tests that take longer: journeys end to end, a browser, many rows, many hosts
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "(slow or browser) and $(APART)" $(ARGS)

looks: $(DEVELOPMENT) ## Compare how every page and state looks with how it was approved
	@$(BIN)/python -m pytest -m looks $(ARGS)

gates: judged lighthouse ## Judge every page by tools from outside: markup, accessibility, links, weight, speed

judged: $(DEVELOPMENT) ## The gates without Lighthouse
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(JUDGES); fi
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m gates tests/gates --ignore tests/gates/test_lighthouse.py $(ARGS)

lighthouse: $(DEVELOPMENT) ## The gate that measures speed too, by itself
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(JUDGES); fi
	@$(BIN)/python -m pytest -m gates -rP --show-capture=stdout tests/gates/test_lighthouse.py $(ARGS)

approve: $(DEVELOPMENT) ## Keep how every page looks now, after you have looked at them (tests/browser/approved)
	@APPROVE=1 $(BIN)/python -m pytest tests/browser/test_approved.py

prove: $(DEVELOPMENT) ## Break what can break while an issue is sent, audit every delivery, write var/proof.md
	@rm -f var/proof.jsonl
	@$(BIN)/python -m pytest -m crash $(ARGS); found=$$?; $(BIN)/python -m tests.crash.report; exit $$found

bench: $(DEVELOPMENT) ## Measure what the project claims, with a peer or a limit in the same run
	@$(BIN)/python -m benchmarks $(ARGS)

check: $(DEVELOPMENT) ## Format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(DEVELOPMENT) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

words: $(DEVELOPMENT) ## Take new texts into every language, and compile the catalogues
	@$(BIN)/python -m tests.catalogues

lock: ## Resolve the dependencies anew (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --quiet --extra build pyproject.toml -o requirements.txt
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --quiet --extra build --extra dev pyproject.toml -c requirements.txt -o requirements-dev.txt

clean: ## Remove the .venv and everything the demo wrote
	@rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the site needs (once) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements-dev.txt
	@touch $@

$(JUDGES): tests/gates/package-lock.json
	@echo "Installing what judges the pages (once) ..."
	@cd tests/gates && npm ci --no-progress --loglevel=error >/dev/null
	@touch $@
