# `make course` sets the course up and opens it. `make test` runs everything that continuous integration runs.
# `make help` lists the rest.

VENV    ?= .venv
COURSE  ?= my-course
SOLVED  ?= my-solutions
WORKERS ?= 2
JUPYTER ?=
# The first Python on the path that is new enough; the reference version first.
PYTHON  ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

py     := $(VENV)/bin/python
solved := $(wildcard notebooks/solutions/*.ipynb)

# A failing part does not hide the next one's result; make still ends with an error.
MAKEFLAGS += --keep-going

# One thread a process: the workers share the cores, and sums come out in the same order everywhere.
test verify slow unit notebooks test-python: export OMP_NUM_THREADS := 1
test verify slow unit notebooks test-python: export OPENBLAS_NUM_THREADS := 1
# On a busy machine a progress bar appears that the stored notebook lacks, and nbval compares what is printed.
test unit notebooks test-python: export TQDM_DISABLE := 1

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help course solutions test verify lint types unit notebooks students slow test-python bench retrain constraints clean
.DEFAULT_GOAL := help

help:
	@echo 'make course                set up $(VENV) and $(COURSE)/, open JupyterLab on chapter 00'
	@echo 'make solutions             the same with the solved chapters, in $(SOLVED)/'
	@echo 'make test                  lint, types, tests, every notebook under nbval'
	@echo 'make verify                every mistake and every right answer of the exercises on 200 seeds'
	@echo 'make slow                  what takes minutes each: a class of sixty, nbgrader on every chapter'
	@echo 'make test-python PY=3.13   the tests and notebooks on another Python, in .venv-3.13'
	@echo 'make bench                 time the metrics beside their peers'
	@echo 'make retrain               train the classifier and the VAE anew, compare with their cards'
	@echo 'make constraints           pin what $(VENV) holds in constraints.txt'
	@echo 'make clean                 remove the environments and caches; $(COURSE)/ and $(SOLVED)/ stay'
	@echo 'PYTHON=/path/to/python3.12 picks the Python; PIP_EXTRA_INDEX_URL reaches pip as it is.'

# --- for readers -------------------------------------------------------------------------------------------

course: $(VENV)/.ready-lab
	@[ -d '$(COURSE)' ] || $(py) -m gancourse start '$(COURSE)'
	$(call open-lab,$(COURSE))

solutions: $(VENV)/.ready-lab
	@[ -d '$(SOLVED)' ] || $(py) -m gancourse start --solved '$(SOLVED)'
	$(call open-lab,$(SOLVED))

# JupyterLab's own terminal finds `gancourse` too: a login shell would set PATH anew.
define open-lab
@bin="$$(cd '$(VENV)/bin' && pwd)"; export PATH="$$bin:$$PATH"; cd '$(1)' && \
	exec "$$bin/python" -m jupyterlab --LabApp.default_url=/lab/tree/00_start_here.ipynb \
	--ServerApp.terminado_settings="{'shell_command': ['$${SHELL:-sh}']}" $(root-flag) $(JUPYTER)
endef

# Jupyter refuses to run as root unless told that this is meant.
root-flag = $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

# --- for those who change something ------------------------------------------------------------------------

test: lint types unit notebooks students
	@echo 'make test: all green'

lint: $(VENV)/.ready-dev
	$(py) -m ruff check .
	$(py) -m ruff format --check .

types: $(VENV)/.ready-dev
	$(py) -m mypy

unit: $(VENV)/.ready-dev
	$(py) -m pytest tests -q -n $(WORKERS) --dist loadscope

notebooks: $(VENV)/.ready-dev
	$(if $(solved),$(py) -m pytest notebooks/solutions -q --nbval --nbval-current-env --nbval-cell-timeout 300 \
	    -n $(WORKERS) --dist loadscope,@echo 'no solved notebooks yet')

students: $(VENV)/.ready-dev
	$(py) -m gancourse release --check

verify: $(VENV)/.ready-dev
	GANCOURSE_SEEDS=200 $(py) -m pytest tests/exercises/test_records.py -q -n $(WORKERS) --dist loadgroup

slow: $(VENV)/.ready-dev
	$(py) -m pytest tests -q -m slow

test-python:
	@[ -n '$(PY)' ] || { echo 'Say which Python: make test-python PY=3.13'; exit 2; }
	$(MAKE) unit notebooks VENV=.venv-$(PY) PYTHON=$(if $(filter command line environment,$(origin PYTHON)),$(PYTHON),python$(PY))

bench: $(VENV)/.ready-dev,bench
	$(py) -m benchmarks

retrain: $(VENV)/.ready-dev
	$(py) -m pytest tests/training/test_cards.py -q -m retrain

constraints: $(VENV)/.ready-dev
	@{ grep '^#' constraints.txt; $(py) -m pip freeze --exclude-editable | \
	    grep -viE '^(nvidia-|cuda-|triton|setuptools)'; } > constraints.new
	@mv constraints.new constraints.txt

clean:
	rm -rf .venv .venv-* .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# --- the virtual environment -------------------------------------------------------------------------------

# .ready-EXTRAS is written last, so an interrupted install is never taken for a whole one; .unfinished says that
# one was interrupted, and the environment is then made anew (pip's cache keeps what was downloaded).
# Python 3.11 is the reference and gets the pinned releases; others get what the ranges in pyproject.toml allow.
# The settings stop JupyterLab from asking every new reader whether it may fetch news.
$(VENV)/.ready-%: pyproject.toml constraints.txt
	@set -e; trap 'exit 130' INT TERM; \
	if [ -e '$(VENV)/.unfinished' ] || { [ -e '$(VENV)/pyvenv.cfg' ] && ! $(py) -c '' 2>/dev/null; }; then \
	    echo '$(VENV) is incomplete, or its Python is gone: making it anew.'; rm -rf '$(VENV)'; \
	fi; \
	if [ ! -e '$(VENV)/pyvenv.cfg' ]; then \
	    '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	        found=$$('$(PYTHON)' --version 2>/dev/null | sed 's/^/is /'); \
	        echo "The course needs Python 3.11 or newer; '$(PYTHON)' $${found:-cannot be run}."; \
	        echo 'Install one, or name it: make course PYTHON=/path/to/python3.12'; exit 1; }; \
	    mkdir -p '$(VENV)'; touch '$(VENV)/.unfinished'; '$(PYTHON)' -m venv '$(VENV)'; \
	fi; \
	touch '$(VENV)/.unfinished'; \
	pins=$$($(py) -c 'import sys; print("-c constraints.txt" * (sys.version_info[:2] == (3, 11)))'); \
	echo 'Installing gancourse[$*] into $(VENV): some minutes the first time.'; \
	$(py) -m pip install --disable-pip-version-check $$pins -e '.[$*]' || { rm '$(VENV)/.unfinished'; exit 1; }; \
	mkdir -p '$(VENV)/share/jupyter/lab/settings'; \
	echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
	    > '$(VENV)/share/jupyter/lab/settings/overrides.json'; \
	rm '$(VENV)/.unfinished'; touch '$@'
