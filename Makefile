# One command for everything. `make` or `make help` lists them; each makes the environment it needs first.
#   PYTHON=python3.12    the Python to build the environment from (else the newest of 3.13, 3.12, 3.11 found)
#   VENV=.venv           where the environment lies
#   TORCH_INDEX=URL      one more package index to take PyTorch from; empty: none. Unless it is given, PyTorch's small
#                        CPU build is taken on a Linux machine without an NVIDIA GPU, if that index answers.
#   PORT=8867 HOST=...   where `make explore` and `make present` serve; VISITORS=20 at most at once
#   DIR=../glow-notebooks  where `make lab` and `make student` put copies of the notebooks
#   WORKERS=2            processes for the tests
#   ARGS="..."           more options for the command that a target runs, such as make train ARGS="--resume"
VENV ?= .venv
PYTHON ?=
TORCH_INDEX ?= auto
WORKERS ?= 2
PORT ?=
VISITORS ?=
DIR ?= ../glow-notebooks
ARGS ?=

CPU_INDEX := https://download.pytorch.org/whl/cpu
PY := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)/python
LAB_READY := $(VENV)/.ready-lab
DEV_READY := $(VENV)/.ready-dev
PEERS_READY := $(VENV)/.ready-peers
WASM_READY := $(VENV)/.ready-wasm
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help:  ## list these commands
	@echo "glowlite: make COMMAND, where COMMAND is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- the environment -----------------------------------------------------------------------------------------------

# A version that is named but not installed (as pyenv's shims are) must not count, so each candidate is run.
define make_venv
[ -x "$(PY)" ] && "$(PY)" -c 'import pip' 2>/dev/null || { \
  for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
    if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
    then found="$$candidate"; break; fi; \
  done; \
  if [ -z "$$found" ]; then \
    echo "No Python 3.11, 3.12 or 3.13 that can make environments was found$(if $(PYTHON), at $(PYTHON))." \
      "Install one (on Debian and Ubuntu also its package python3-venv), or name one: make PYTHON=/path/to/python3" >&2; \
    exit 1; \
  fi; \
  echo "Making $(VENV) with $$("$$found" --version)"; \
  "$$found" -m venv "$(VENV)"; \
}
endef

# An index that does not answer would cost pip minutes of retries, so it is asked first.
define find_index
index="$(TORCH_INDEX)"; \
if [ "$$index" = auto ]; then \
  index=; \
  if [ "$$(uname -s)" = Linux ] && ! nvidia-smi -L 2>/dev/null | grep -q GPU \
      && ! "$(PY)" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then \
    if "$(PY)" -c 'import urllib.request; urllib.request.urlopen("$(CPU_INDEX)/torch/", timeout=8)' 2>/dev/null; \
    then index="$(CPU_INDEX)"; \
    else echo "PyTorch's index of CPU builds does not answer: torch comes from wherever pip is set up to look."; fi; \
  fi; \
fi
endef

# $(1): the extras, separated by commas.
define install
@set -e; $(make_venv); $(find_index); \
echo "Installing glowlite[$(1)] and its pinned dependencies; the first time takes minutes"; \
"$(PY)" -m pip install --disable-pip-version-check -c constraints.txt $${index:+--extra-index-url "$$index"} -e ".[$(1)]"
endef

comma := ,

$(LAB_READY): $(PINS)
	$(call install,lab)
	@touch $@

$(DEV_READY): $(PINS)
	$(call install,lab$(comma)dev)
	@touch $(LAB_READY) $@

$(PEERS_READY): $(PINS) | $(DEV_READY)
	$(call install,lab$(comma)dev$(comma)peers)
	@touch $@

$(WASM_READY): $(PINS) | $(DEV_READY)
	$(call install,lab$(comma)dev$(comma)wasm)
	@touch $@

.PHONY: env
env: $(DEV_READY)  ## make .venv and install the pinned packages
	@echo "Ready: $(PY)"

# --- to use --------------------------------------------------------------------------------------------------------

# HOST counts only when it is given to make: some shells export a HOST that is the machine's name.
SERVE_OPTIONS = $(if $(PORT),--port $(PORT)) $(if $(filter command,$(origin HOST)),--host $(HOST)) \
  $(if $(VISITORS),--visitors $(VISITORS))

.PHONY: explore
explore: $(LAB_READY)  ## open the explorers in the browser (PORT=, HOST=, VISITORS=)
	@$(PY) -m glowlite explore $(SERVE_OPTIONS) $(ARGS)

.PHONY: present
present: $(LAB_READY)  ## the same in large type, for a lecture hall
	@$(PY) -m glowlite present $(SERVE_OPTIONS) $(ARGS)

.PHONY: lab
lab: $(LAB_READY)  ## open copies of the notebooks in JupyterLab (DIR=)
	@$(PY) -m glowlite student "$(DIR)"
	@$(PY) -m jupyterlab --ServerApp.root_dir="$(DIR)" $(if $(PORT),--port $(PORT)) $(ARGS)

.PHONY: student
student: $(LAB_READY)  ## copy the notebooks without outputs, for students (DIR=)
	@$(PY) -m glowlite student "$(DIR)" $(ARGS)

.PHONY: faces
faces: $(LAB_READY)  ## draw a sheet of faces as faces.png
	$(PY) -m glowlite faces $(ARGS)

.PHONY: train
train: $(LAB_READY)  ## train faces64 into runs/faces64 (ARGS="--resume" goes on)
	$(PY) -m glowlite train --out runs/faces64 $(ARGS)

# --- to check ------------------------------------------------------------------------------------------------------

# The tests of a file stay together, as they share what takes long to make.
IN_PARALLEL = -n $(WORKERS) --dist loadfile

.PHONY: test
test: test-unit test-notebooks test-browser  ## run every test: unit, notebooks, browser

.PHONY: test-unit
test-unit: $(DEV_READY)  ## run the unit tests
	$(PY) -m pytest $(IN_PARALLEL) --ignore=tests/browser tests $(ARGS)

.PHONY: test-notebooks
test-notebooks: $(DEV_READY)  ## run every notebook and compare what it stores
	@if ls notebooks/*.ipynb >/dev/null 2>&1; then set -x; \
	OMP_NUM_THREADS=1 $(PY) -m pytest $(IN_PARALLEL) --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
	  --nbval-sanitize-with=tests/notebooks/nbval.cfg notebooks/*.ipynb $(ARGS); \
	else echo "There are no notebooks to test."; fi

.PHONY: test-browser
test-browser: $(DEV_READY)  ## run dashboards and notebooks in Chromium
	@if ls tests/browser/test_*.py >/dev/null 2>&1; then set -x; \
	$(PY) -m pytest $(IN_PARALLEL) tests/browser $(ARGS); \
	else echo "There are no browser tests."; fi

.PHONY: lint
lint: $(DEV_READY)  ## check style and spelling
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib

.PHONY: format
format: $(DEV_READY)  ## format the code and mend what can be mended
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

.PHONY: faults
faults: $(DEV_READY)  ## plant faults one by one; each must make a test fail
	$(PY) -m tests.faults $(ARGS)

.PHONY: bench
bench: $(PEERS_READY)  ## measure speed beside other libraries, attributes, a class of visitors
	$(PY) -m benchmarks.peers
	$(PY) -m benchmarks.attributes
	$(PY) -m benchmarks.visitors

# --- to write ------------------------------------------------------------------------------------------------------

.PHONY: notebooks
notebooks: $(DEV_READY)  ## rebuild the notebooks from their scripts, run, store
	$(PY) -m glowlite notebooks $(ARGS)

.PHONY: precompute
precompute: $(LAB_READY)  ## measure what the explorers know of faces64, draw posters
	$(PY) -m glowlite precompute faces64
	$(PY) -m glowlite posters

.PHONY: wasm
wasm: $(WASM_READY)  ## compile the kernels of pages anew (needs 440 MB)
	$(PY) -m glowlab.web.compile

.PHONY: site
site: $(DEV_READY)  ## build the static edition, for any web server
	$(PY) -m glowlite site $(ARGS)

.PHONY: clean
clean:  ## remove caches and builds; the environment stays
	rm -rf build dist .pytest_cache .ruff_cache .coverage
	find . -name .venv\* -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -exec rm -rf {} +

.PHONY: clean-env
clean-env:  ## remove the environment
	rm -rf "$(VENV)"
