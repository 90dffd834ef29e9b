# The targets are what CI runs. `make run` and `make test` set up everything they need from python3 and the package index.

.DEFAULT_GOAL := help
BIN := .venv/bin
SOURCES := src flows tasks expectations deployments benchmarks tests scripts
WORKERS ?= 2

export NO_MKDOCS_2_WARNING := 1 # it builds what is locked

.PHONY: help run stop test check coverage chaos kill-matrix fuzz audit bench docs screenshot lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/runtime  ## refresh one simulated game day end to end; KEEP=1 leaves the servers up
	$(BIN)/backstop refresh --upstream demo $(if $(KEEP),--keep)

stop: .venv/runtime  ## end what KEEP=1 left running
	$(BIN)/backstop stop

test: .venv/dev  ## every test; up to three that fail run once more by themselves, and are named where they pass then
	$(BIN)/python -m scripts.tested -n $(WORKERS) --dist loadfile --no-loadscope-reorder --hypothesis-profile=ci

check: .venv/dev  ## lint, types, import contracts, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --quiet

fuzz: .venv/dev  ## damaged answers at every parser, 60 s each, 15 minutes, recorded; SECONDS=5 each without a record
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(if $(SECONDS),,--record benchmarks/results/fuzz.json); \
	  ended=$$?; $(if $(SECONDS),,$(BIN)/python -m benchmarks.claims;) exit $$ended

audit: .venv/dev  ## known vulnerabilities of the locked packages; needs an index that serves advisories
	for lock in requirements.lock requirements-server.lock requirements-dev.lock; do \
	  $(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || exit 1; done

chaos: .venv/dev  ## 200 seasons under faults, half an hour to an hour, recorded; SEEDS=5 without a record; RESUME=FILE goes on from there
	$(BIN)/python -m tests.chaos --seeds $(or $(SEEDS),200) $(if $(RESUME),--resume $(RESUME)) \
	  $(if $(SEEDS),,--record benchmarks/results/chaos.json); \
	  ended=$$?; $(if $(SEEDS),,$(BIN)/python -m benchmarks.claims;) exit $$ended

kill-matrix: .venv/dev  ## flow, worker, Prefect, Redis and PostgreSQL killed with -9 in each stage, 10 minutes; docs/operations.md renewed
	$(BIN)/python -m tests.operations.matrix --record benchmarks/results/kill_matrix.json
	$(BIN)/python -m benchmarks.claims

coverage: .venv/dev  ## branches that the tests take, subprocesses too, about an hour, recorded; TESTS=tests/net for some
	$(if $(TESTS),,RECORD=benchmarks/results/coverage.json FLOOR=90) scripts/coverage $(or $(TESTS),tests); \
	  ended=$$?; $(if $(TESTS),,$(BIN)/python -m benchmarks.claims;) exit $$ended

bench: .venv/dev  ## every benchmark, about an hour on two quiet cores; renews docs/claims.md and the README's table. SMALL=1 only sees that they run
	$(BIN)/python -m benchmarks $(if $(SMALL),--small)

docs: .venv/dev  ## the documents as a site in .site, generated pages renewed
	$(BIN)/python -m scripts.pages
	$(BIN)/mkdocs build --quiet

screenshot: .venv/dev  ## docs/images: the board, and the page of a run in the Prefect UI
	$(BIN)/python scripts/screenshot

lock:  ## resolve pyproject.toml into the three requirement locks; needs uv
	scripts/lock

clean:  ## remove the environment and everything that runs left in the checkout
	@[ ! -x $(BIN)/backstop ] || $(BIN)/backstop stop
	rm -rf .venv .bench .site .backstop .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage

.venv/runtime: requirements.lock pyproject.toml scripts/setup
	scripts/setup requirements.lock $@

.venv/dev: requirements-dev.lock pyproject.toml scripts/setup
	scripts/setup requirements-dev.lock $@
