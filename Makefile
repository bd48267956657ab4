# Everything a checkout needs, from a bare machine with Python 3.11, make and git. `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.PHONY: help setup runtime demo servers test lint bench soak evaluate figures lock clean

BIN := .venv/bin
# Debian keeps mosquitto and nginx where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/sbin:/sbin
export PYTHONUNBUFFERED := 1
# More for pytest: make test ARGS="-k wire"
ARGS ?=
# Raise every pin to the newest that fits: make lock UPGRADE=--upgrade
UPGRADE ?=
COMPILE = .venv-lock/bin/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate

help:
	@echo "make setup   virtual environment with everything, pinned and hashed"
	@echo "make demo    simulated wearers, broker, ingester and page at http://127.0.0.1:8000"
	@echo "make test    every test, against real servers where they can be installed"
	@echo "make lint    style, types, import rule, requirements"
	@echo "make bench   speed side by side with the alternatives; writes benchmarks/results.json"
	@echo "make soak    what must hold through kills, outages and late data, for hours; writes docs/reliability.md"
	@echo "make evaluate accuracy on simulated and real legs beside the alternatives; writes docs/accuracy.md"
	@echo "make figures draw the figures of docs/detector.md"
	@echo "make lock    compile deploy/requirements*.txt from pyproject.toml"
	@echo "make clean   remove what the others made"

setup:
	@deploy/make-venv .venv deploy/requirements-dev.txt

# What running needs, without the tools that building and testing need: a demo starts sooner.
runtime:
	@deploy/make-venv .venv deploy/requirements.txt deploy/requirements-build.txt

demo: runtime
	@exec $(BIN)/charley demo

servers:
	@deploy/install-servers mosquitto influxdb postgresql chromium perl compiler

test: setup servers
	@echo "== pytest"
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(ARGS)

lint: setup
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy"
	@$(BIN)/mypy
	@echo "== import rule"
	@$(BIN)/lint-imports
	@echo "== requirements"
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_project_requirements.py

# More for the report: make evaluate ARGS="--quick --real FOLDER"
evaluate:
	@deploy/make-venv .venv-bench deploy/requirements.txt deploy/requirements-build.txt deploy/requirements-bench.txt
	@exec .venv-bench/bin/charley evaluate $(ARGS)

bench:
	@deploy/install-servers mosquitto
	@deploy/make-venv .venv-bench deploy/requirements.txt deploy/requirements-build.txt deploy/requirements-bench.txt
	@.venv-bench/bin/python -m benchmarks

# Some of it, or all in minutes: make soak ARGS="kills offline" or make soak ARGS=--quick
soak: setup
	@deploy/install-servers mosquitto influxdb
	@$(BIN)/python -m benchmarks.reliability $(ARGS)

figures: setup
	@$(BIN)/python -m benchmarks.figures

lock:
	@deploy/make-venv --bare .venv-lock deploy/requirements-lock.txt
	@echo "== compiling deploy/requirements*.txt"
	@$(COMPILE) pyproject.toml --extra postgres -o deploy/requirements.txt
	@$(COMPILE) pyproject.toml --group dev --extra postgres -c deploy/requirements.txt -o deploy/requirements-dev.txt
	@$(COMPILE) --group build -c deploy/requirements-dev.txt -o deploy/requirements-build.txt
	@$(COMPILE) --group bench -c deploy/requirements-dev.txt -o deploy/requirements-bench.txt
	@$(COMPILE) --group lock -o deploy/requirements-lock.txt

clean:
	@rm -rf .venv .venv-bench .venv-lock .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
