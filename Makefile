# `make demo` and `make test` work on a machine with Python 3.11 or later, make and git, and nothing else.
# Everything is put into .venv and node_modules of this folder; `make clean` removes it.

VENV ?= .venv
BIN := $(VENV)/bin
LOCK := tests/requirements.lock
NODE := tools/with-node.sh $(VENV)
STATIC := jupyter_mlws/labextension/static/style.js
SOURCES := $(shell find labextension -type f -not -path '*/lib/*' -not -path '*/node_modules/*' 2>/dev/null)
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
# Most tests wait for processes of their own, so that three at once keep two cores busy. A file stays in one process.
PYTEST_OPTIONS ?= --numprocesses 3 --dist loadfile

BENCHMARKS ?= startup marks tracking remote jobs lists event_loop idle
BENCH_OPTIONS ?=

# Bytecode is compiled at installation: without it every start of a job pays for it.
unexport PYTHONDONTWRITEBYTECODE
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup demo lab test test-js check types lock bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    run a notebook and a cell as jobs, and watch them in the terminal"
	@echo "make lab     open JupyterLab on the examples"
	@echo "make test    run all tests (installs Chromium where it can)"
	@echo "make check   ruff, mypy, eslint, prettier, and whether the generated types are current"
	@echo "make bench   measure all that has a goal, beside other ways (BENCH_OPTIONS=--quick: a look)"
	@echo "make types   generate the TypeScript types from the records"
	@echo "make lock    write $(LOCK) anew from pyproject.toml (UPGRADE=1: newest versions)"
	@echo "make clean   remove what make made"

# --- setting up -------------------------------------------------------------------------------------------

setup: $(VENV)/.project

$(VENV)/.packages: $(LOCK) tools/make-venv.sh tools/find-python.sh
	tools/make-venv.sh $(VENV) $(LOCK)
	@touch $@

node_modules/.installed: package.json package-lock.json | $(VENV)/.packages
	$(NODE) npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(STATIC): node_modules/.installed $(SOURCES)
	$(NODE) npm run --silent build
	@touch $@

# Editable: the Python code is used where it lies; the labextension, built above, and the configuration are copied.
$(VENV)/.project: pyproject.toml install.json jupyter-config/server-config/jupyter_mlws.json $(STATIC)
	HATCH_BUILD_NO_HOOKS=true $(NODE) uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# --- using ------------------------------------------------------------------------------------------------

demo: setup
	@$(BIN)/python examples/demo.py

lab: setup
	cd examples && PATH="$(abspath $(BIN)):$$PATH" jupyter lab $(ROOT_FLAG)

# The short ones first; one that fails does not keep the others from being measured.
bench: setup
	@failed=; for name in $(BENCHMARKS); do \
	  echo "--- benchmarks/$$name.py"; \
	  $(BIN)/python benchmarks/$$name.py $(BENCH_OPTIONS) || failed="$$failed $$name"; \
	done; if test -n "$$failed"; then echo "failed:$$failed" >&2; exit 1; fi

# --- testing ----------------------------------------------------------------------------------------------

test: setup test-js
	@tools/ensure-chromium.sh
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

test-js: setup
	$(NODE) npm test --silent

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m jupyter_mlws.server.openapi | cmp - labextension/openapi.json
	$(NODE) npm run --silent lint
	$(NODE) npm run --silent types:check

types: setup
	$(BIN)/python -m jupyter_mlws.server.openapi > labextension/openapi.json.new
	mv labextension/openapi.json.new labextension/openapi.json
	$(NODE) npm run --silent types

# --- keeping ----------------------------------------------------------------------------------------------

lock: $(VENV)/.packages
	$(BIN)/uv pip compile pyproject.toml --quiet --extra test --universal --python-version 3.11 \
	  --no-header --no-emit-index-url --annotation-style line $(if $(UPGRADE),--upgrade) --output-file $(LOCK)
	for name in server enterprise; do \
	  $(BIN)/uv pip compile tests/remotes/$$name.in --quiet --universal --python-version 3.11 --no-header \
	    --no-emit-index-url --annotation-style line $(if $(UPGRADE),--upgrade) \
	    --output-file tests/remotes/$$name.lock; done

clean:
	rm -rf $(VENV) .remotes node_modules jupyter_mlws/labextension labextension/lib labextension/tsconfig.tsbuildinfo \
	  build dist .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
