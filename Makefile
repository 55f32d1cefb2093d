# Two commands from a fresh clone: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/.tools
DIST_VENV := .venv-dist
NATIVE := setup.py edge_asd/frontend/build_native.py $(wildcard edge_asd/frontend/csrc/*)

.PHONY: demo test prove prove-pi dist prove-dist check install clean

demo: install
	$(BIN)/edge-asd demo

# Two processes more than there are cores, as many tests wait for sound; up to four, as each holds TensorFlow; file by
# file, so that a file's fixtures are made once, in the order of tests/order.py.
test: install $(TOOLS) check
	$(BIN)/python -m pytest --numprocesses "$$(( $$(getconf _NPROCESSORS_ONLN) + 2 ))" --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The processes share the cores already: threads of their own would wait for one another, and turn while they wait.
test: export OPENBLAS_NUM_THREADS := 1
test: export TF_NUM_INTEROP_THREADS := 1

# Compiled modules are kept, whatever the environment says: tests start hundreds of processes.
test prove prove-pi prove-dist: export PYTHONDONTWRITEBYTECODE :=

check: install
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy

# The long proofs; their figures are kept in docs/proofs.md.
prove: install $(TOOLS)
	$(BIN)/python -m pytest -m prove

# The core package in an emulated Raspberry Pi, as root; a quarter of an hour at first, to build it. Once it is there,
# `make prove` runs this, too.
prove-pi: install
	PYTHON="$(PYTHON)" sh .ci/system_packages pi
	$(BIN)/python -m tests.pi.build
	$(BIN)/python -m pytest -m prove -s tests/pi

# The last commit's source distribution and wheels, checked, in dist/: docs/releasing.md.
dist: $(DIST_VENV)/.installed
	$(DIST_VENV)/bin/python .ci/dist.py

# Its tools have an environment of their own.
$(DIST_VENV)/.installed: .ci/dist-requirements.txt .ci/system_packages
	PYTHON="$(PYTHON)" sh .ci/system_packages dist
	test -x $(DIST_VENV)/bin/python || $(PYTHON) -m venv $(DIST_VENV)
	$(DIST_VENV)/bin/python -m pip install --quiet --requirement .ci/dist-requirements.txt
	touch $@

# Those packages in bare systems without a compiler, as root; half an hour at first, to build these. Once they are
# there, `make prove` runs this, too.
prove-dist: install $(DIST_VENV)/.installed
	PYTHON="$(PYTHON)" sh .ci/system_packages pi
	$(BIN)/python -m tests.dist.systems
	$(BIN)/python -m pytest -m prove -s tests/dist

install: $(STAMP)

# Rebuilt when the project's needs change; `build/` goes first, so that nothing stale is installed.
$(STAMP): pyproject.toml .ci/system_packages $(NATIVE)
	PYTHON="$(PYTHON)" sh .ci/system_packages
	rm -rf build
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@# setuptools warns of editable installs in general; there is nothing to do about it here.
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[archive,train,cluster,firmware,notify,dev]'
	touch $@

# What only the tests need.
$(TOOLS): .ci/system_packages $(STAMP)
	PYTHON="$(PYTHON)" sh .ci/system_packages tests
	touch $@

clean:
	rm -rf $(VENV) $(DIST_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis edge_asd/frontend/_native*
