# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv, from Python 3.11+ alone.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo test check bench clean

demo: $(STAMP)
	@$(VENV)/bin/sergei demo

test: $(STAMP)
	@$(VENV)/bin/pytest -n auto

check: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

bench: $(STAMP)
	@$(VENV)/bin/python -m benchmarks

# The stamp is written last, so that an interrupted set-up starts over.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sergei needs Python 3.11 or newer; name one with PYTHON=python3.12 make demo." >&2; exit 3; }
	@echo "setting up $(VENV), once ..."
ifeq ($(UV),)
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
else
	@$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --python $(VENV)/bin/python -c constraints.txt -e '.[dev]'
endif
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache
