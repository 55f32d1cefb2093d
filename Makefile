# Two commands from a fresh clone: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test prove check install clean

demo: install
	$(BIN)/edge-asd demo

test: install check
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy

# The long proofs; their figures are kept in docs/proofs.md.
prove: install
	$(BIN)/python -m pytest -m prove

install: $(STAMP)

# Rebuilt when the project's needs change; `build/` goes first, so that nothing stale is installed.
$(STAMP): pyproject.toml .ci/system_packages
	PYTHON="$(PYTHON)" sh .ci/system_packages
	rm -rf build
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@# setuptools warns of editable installs in general; there is nothing to do about it here.
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[train,firmware,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
