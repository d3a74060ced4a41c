# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv, from Python 3.11+ alone.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)
# The sandbox's servers work while a test waits: one worker more than there are cores.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

# With `make -C` (which sets the flag w) the person stands elsewhere: what to type next needs the whole path.
SERGEI := $(if $(findstring w,$(firstword -$(MAKEFLAGS))),$(CURDIR)/)$(VENV)/bin/sergei

# A container's user may have no home of its own; then the sandbox and the records stay in $(VENV) as well.
ifneq ($(shell test -w "$$HOME" || echo homeless),)
export XDG_CACHE_HOME ?= $(CURDIR)/$(VENV)/home/cache
export XDG_STATE_HOME ?= $(CURDIR)/$(VENV)/home/state
HOMELESS := HOME cannot be written. Before the commands above: export XDG_CACHE_HOME='$(XDG_CACHE_HOME)' XDG_STATE_HOME='$(XDG_STATE_HOME)'
endif

.PHONY: demo test check bench bench-memory bench-phi bench-rls clean

demo: $(STAMP)
	@"$(SERGEI)" demo
ifdef HOMELESS
	@echo "$(HOMELESS)"
endif

test: $(STAMP)
	@$(VENV)/bin/pytest -n $(WORKERS)

check: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

bench: $(STAMP)
	@$(VENV)/bin/python -m benchmarks

# The machine's own certificates count, as they do for pip.
WITH_UV = export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 && "$(UV)" venv --quiet --clear --python "$(PYTHON)" $(VENV) \
  && "$(UV)" pip install --quiet --python $(VENV)/bin/python -c constraints.txt -e '.[dev]'
WITH_PIP = "$(PYTHON)" -m venv --clear $(VENV) \
  && $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'

# The stamp is written last, so that an interrupted set-up starts over.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sergei needs Python 3.11 or newer; name one with PYTHON=python3.12 make demo." >&2; exit 3; }
	@echo "setting up $(VENV), once; this takes about half a minute ..."
	@if [ -n "$(UV)" ] && $(WITH_UV); then :; else \
	  [ -z "$(UV)" ] || echo "uv could not do it; trying venv and pip ..." >&2; $(WITH_PIP); fi
	@touch $@

bench-phi: $(STAMP)
	@$(VENV)/bin/python -m benchmarks.phi

bench-rls: $(STAMP)
	@$(VENV)/bin/python -m benchmarks.rls $(ARGS)

bench-memory: $(STAMP)
	@$(VENV)/bin/python -m benchmarks.memory $(ARGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache
