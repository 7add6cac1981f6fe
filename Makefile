# `make demo` and `make test` need Python >= 3.11 and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TYPINGS := build/typings
ARGS ?=

.PHONY: help demo test bench lint clean

help:
	@echo "make demo    a node's life on the virtual board   (ARGS=--help for its options)"
	@echo "make test    the whole test suite, as CI runs it  (ARGS=... goes to pytest)"
	@echo "make bench   figures, also in build/bench.json"
	@echo "make lint    ruff and the type checks alone"
	@echo "make clean   removes .venv and build"

demo: $(VENV)/demo
	$(BIN)/python -m tools demo $(ARGS)

test: $(VENV)/test $(TYPINGS)/esp32 $(TYPINGS)/stm32
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/test
	$(BIN)/python -m tools bench $(ARGS)

lint: $(VENV)/test $(TYPINGS)/esp32 $(TYPINGS)/stm32
	$(BIN)/python -m pytest host_tests/test_lint_and_types.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of packages: they are installed again only when their list has changed.
$(VENV)/demo: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test: requirements-test.txt requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# The stubs of both ports declare the same modules, so each has a folder of its own.
$(TYPINGS)/%: requirements-typings.txt | $(VENV)/bin/python
	rm -rf $@
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $@ \
	  "$$(grep '^micropython-$*-stubs' requirements-typings.txt)"
	@touch $@

clean:
	rm -rf $(VENV) build
