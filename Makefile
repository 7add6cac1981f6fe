# `make demo` and `make test` need Python >= 3.11 and make, and nothing else.

# The first interpreter that is new enough; another one by `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
TYPINGS := build/typings
ARGS ?=

.PHONY: help venv demo test bench soak fuzz damage states splits month wirings month-heap docs lint dist clean

help:
	@echo "make demo    a node's life on the virtual board   (ARGS=--help for its options)"
	@echo "make test    the whole test suite, as CI runs it  (ARGS=... goes to pytest)"
	@echo "make bench   figures, also in build/bench.json"
	@echo "make soak    2,000 wakes of a node under mixed faults (ARGS=\"--wakes N --seed N\")"
	@echo "make damage  every damage to every file of a node, and every call on them that may fail"
	@echo "make states  every state that an earlier life may leave the module in, against every feature"
	@echo "make splits  the driver's tests with what the module says cut at every single byte"
	@echo "make fuzz    driver and node fed with anything (MINUTES=10 for all targets together)"
	@echo "make month   30 days of a node, twice: the energy report, and that both traces are the same"
	@echo "make month-heap 30 days of a node on the smallest heap of one wake: does it fall to pieces?"
	@echo "make wirings every way to wire the module, with every way to sleep and uplink"
	@echo "make docs    every command of README and docs, and each energy scenario, at full length: hours"
	@echo "make lint    ruff and the type checks alone"
	@echo "make dist    wheel, sdist and the driver's types (c1100-stubs) in build/dist"
	@echo "make venv    .venv with all that the above need"
	@echo "make clean   removes .venv and build"

demo: $(VENV)/demo
	@$(BIN)/python -m tools demo $(ARGS)

# Four at a time, as many of them wait; files whole: what a file's tests share is made once. ARGS="-n 0" does one after the other.
test: venv
	@$(BIN)/python tools/installed.py
	$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

bench: venv
	$(BIN)/python -m tools bench $(ARGS)

soak: venv
	$(BIN)/python -m host_tests.campaign $(ARGS)

damage: venv
	$(BIN)/python -m host_tests.damage $(ARGS)
	$(BIN)/python -m host_tests.damaged_files $(ARGS)
	$(BIN)/micropython -X heapsize=64M host_tests/flash/flipped_bits.py 4

states: venv
	$(BIN)/python -m host_tests.states $(ARGS)

splits: venv
	SPLITS=all $(BIN)/python -m pytest -n 2 host_tests/test_every_split.py $(ARGS)

MINUTES ?= 10
fuzz: venv
	$(BIN)/python -m host_tests.fuzz --minutes $(MINUTES) $(ARGS)

MONTH := build/month
month: $(VENV)/demo
	@mkdir -p $(MONTH)
	$(BIN)/python -m tools simulate --days 30 --out $(MONTH) --trace $(MONTH)/first.trace $(ARGS)
	$(BIN)/python -m tools simulate --days 30 --out $(MONTH) --trace $(MONTH)/second.trace $(ARGS)
	cmp $(MONTH)/first.trace $(MONTH)/second.trace && echo "both traces are the same, byte for byte"

month-heap: venv
	$(BIN)/python -m tools bench --only month_heap $(ARGS)

wirings: venv
	WIRINGS=all $(BIN)/python -m pytest -n 2 host_tests/node/test_wiring.py $(ARGS)

docs: venv
	DOCS=full $(BIN)/python -m pytest -n 0 host_tests/docs host_tests/power/test_scenarios.py $(ARGS)

lint: venv
	$(BIN)/python -m pytest host_tests/test_lint_and_types.py $(ARGS)

dist: $(VENV)/demo
	@mkdir -p build/dist
	@$(BIN)/python -c 'from tools.package import *; print(build_sdist("build/dist"), build_wheel("build/dist"))'
	@$(BIN)/python -m tools stubs --out build/dist

venv: $(VENV)/test $(TYPINGS)/esp32 $(TYPINGS)/stm32 $(TYPINGS)/unix

# From scratch, so that nothing of an environment for another Python is left.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) tools/installed.py venv
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp for each set of packages: they are installed again only when their list has changed.
$(VENV)/demo: requirements.txt | $(BIN)/python
	@echo "installing what requirements.txt lists into $(VENV)"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/test: requirements-test.txt requirements.txt | $(BIN)/python
	@echo "installing what requirements-test.txt lists into $(VENV)"
	@$(PIP) -r requirements-test.txt
	@touch $(VENV)/demo $@

# The stubs of the ports declare the same modules, so each has a folder of its own.
$(TYPINGS)/%: requirements-typings.txt | $(BIN)/python
	@rm -rf $@
	@$(PIP) --target $@ "$$(grep '^micropython-$*-stubs' requirements-typings.txt)"
	@touch $@

clean:
	rm -rf $(VENV) build
