# `make` alone lists what there is. Everything is installed into .venv here; state is kept in RL_EMAILS_HOME.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: install ## Set up, start everything with a sample mailbox in it, and open the inbox
	@$(BIN)/rl-emails demo

up: install ## Set up and start everything with the mail imported so far
	@$(BIN)/rl-emails up

install: $(STAMP) ## Set up .venv with pinned dependencies, and nothing else

$(STAMP): requirements/base.txt requirements/build.txt requirements/model.txt pyproject.toml scripts/install.sh
	@PYTHON=$(PYTHON) sh scripts/install.sh base
	@touch $@

$(DEV_STAMP): $(STAMP) requirements/dev.txt
	@PYTHON=$(PYTHON) sh scripts/install.sh dev
	@touch $@

dev: $(DEV_STAMP) ## Set up what tests and checks need besides

test: $(DEV_STAMP) ## Run the tests (browser tests need Debian's chromium; without it they skip and say so)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(DEV_STAMP) ## Format, lint, types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fuzz: $(DEV_STAMP) ## Send every operation of the API what it should not get, at length (FUZZ_EXAMPLES=n of each)
	@OMP_NUM_THREADS=1 FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),100) $(BIN)/python -m pytest tests/hostile/test_openapi_fuzz.py

parity: $(DEV_STAMP) ## Hold the default encoder to sentence-transformers, in .venv-torch (about 1 GB more)
	@PYTHON=$(PYTHON) sh scripts/torch.sh
	@.venv-torch/bin/python -m pytest --confcutdir=tests/embedding -p no:cacheprovider \
		-W ignore::DeprecationWarning -W ignore::FutureWarning \
		tests/embedding/test_encoder_parity.py tests/embedding/test_torch_encoder.py

next: $(DEV_STAMP) ## Run the tests that touch Dagster on its newest releases, in .venv-next
	@PYTHON=$(PYTHON) sh scripts/next_dagster.sh

soak: $(DEV_STAMP) ## Execute 1,000 runs on one worker and measure its memory (about 10 minutes)
	@WORKER_TEST_RUNS=1000 $(BIN)/python -m pytest -s tests/worker/test_worker_slots.py -k memory

coverage: $(DEV_STAMP) ## Run the tests and measure what they cover
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

bench: $(DEV_STAMP) ## Measure rates, latencies and memory (MAILBOX=path ADDRESS=owner measures on it; COUNT=n generates)
	@$(BIN)/python -m tests.bench.run $(if $(MAILBOX),--mailbox $(MAILBOX) --address $(ADDRESS)) $(if $(COUNT),--count $(COUNT))

eval: $(DEV_STAMP) ## Measure the engines on public data and write docs/evaluation.md (DATA=folder, OUT=folder, ONLY=keys)
	@OMP_NUM_THREADS=1 $(BIN)/rl-emails eval --data $(or $(DATA),../shared/data) --out $(or $(OUT),docs) $(if $(ONLY),--only $(ONLY))

chaos: $(DEV_STAMP) ## Kill parts of a real, running stack in seeded stories (SEEDS=n stories, FROM=m the first)
	@$(BIN)/python -m tests.chaos.run $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM))

screenshots: $(DEV_STAMP) ## Make the pictures in docs/images from the sample mailbox (LINK=page that runs, ONLY=name)
	@$(BIN)/python -m scripts.screenshots $(if $(LINK),"$(LINK)") $(if $(ONLY),--only $(ONLY))

lighthouse: $(DEV_STAMP) ## Measure the page: accessibility, best practices, first view, transfer (LINK=page that runs)
	@$(BIN)/python -m scripts.measure_page $(if $(LINK),"$(LINK)")

docs: $(DEV_STAMP) ## Make the references in docs/ that are generated
	@$(BIN)/python -m scripts.reference

lock: ## Pin the newest allowed versions, with hashes, in requirements/
	@PYTHON=$(PYTHON) sh scripts/lock.sh

clean: ## Remove .venv and what tools left behind; mail and state stay
	@rm -rf $(VENV) .venv-torch .venv-next .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage* htmlcov

.PHONY: help demo up install dev test check fuzz parity next soak coverage bench eval chaos screenshots lighthouse docs lock clean
