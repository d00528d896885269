# The verbs that people and CI share. Everything is installed by the first of them that needs it.
.PHONY: help setup check lint types imports unit test lab-test bench bench-verbs docs dashboard dashboard-check package demo lab lab-down format
.DEFAULT_GOAL := help
UV := scripts/uv
RUN := $(UV) run --frozen --quiet

help: ## Show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Install what developing and testing needs
	@scripts/setup

check: setup lint types imports unit ## Lint, types, import contract, unit tests (under 3 minutes)

lint:
	$(RUN) ruff check src tests bench scripts/*.py
	$(RUN) ruff format --check src tests bench scripts/*.py

types:
	$(RUN) mypy

imports:
	$(RUN) lint-imports

unit:
	$(RUN) pytest tests/unit tests/definitions tests/plans tests/contracts -q -n 2

format: ## Let ruff rewrite what it can
	$(RUN) ruff check --fix src tests bench scripts/*.py
	$(RUN) ruff format src tests bench scripts/*.py

test: setup ## Run every test that this machine can run; says what it skipped and why
	@scripts/test

lab-test: setup ## Only the tests on real machines (needs root)
	$(RUN) pytest tests/lab tests/chaos -q -x

bench: setup ## No-change and first converge on 16 SSH hosts, beside Ansible and pyinfra (needs root)
	@bench/run

bench-verbs: setup ## What apply, add, backup, restore and upgrade of a real cluster cost, and Raijin's own share (needs root)
	@.venv/bin/python bench/verbs.py

docs: setup ## Make the reference pages anew from the code
	$(RUN) python scripts/reference.py

dashboard: ## Build the dashboard into the package (nothing to do when its sources have not changed)
	@scripts/dashboard

dashboard-check: ## Types, lint and tests of the dashboard
	@scripts/dashboard --check

package: dashboard ## Wheel and sdist with the dashboard in them, in dist/
	$(UV) build --quiet

demo: ## The dashboard on a rehearsed site: no root, no machines
	@scripts/demo

lab: ## Lab machines become a Kubernetes cluster, on this box (needs root)
	@scripts/lab

lab-down: ## Take them away again
	@RAIJIN_HOME="$(CURDIR)/.demo" $(RUN) raijin lab down
	@rm -rf "$(CURDIR)/.demo"
