# `make run` is the first thing to try; `make check test` is what CI does. Python 3.11+ is all that is needed.

.DEFAULT_GOAL := help
BIN := .venv/bin
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
LOCKS := requirements.lock requirements-dev.lock requirements-build.lock

.PHONY: help run test check locks-current lock fit soak clean
.PHONY: bench-commerce bench-locomo bench-recall bench-learning bench-embedding bench-times bench-weight bench-speed bench-peers

help:  ## Show what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: .venv/.installed  ## Start everything, load a conversation, ask it five questions, and keep serving.
	@$(BIN)/recollect demo

test: .venv/.installed-dev  ## Run the whole suite.
	@$(BIN)/python -m pytest

check: .venv/.installed-dev locks-current  ## Lint, types, the arrows between the rooms, locks and docs.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python -m recollect.cli.docs --check

# The pins must be those that uv would keep. Hashes may differ: a release can get new files later.
locks-current:
	@if command -v uv >/dev/null; then \
	    fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && cp $(LOCKS) "$$fresh" && \
	    $(MAKE) --no-print-directory lock INTO="$$fresh/" && \
	    for lock in $(LOCKS); do \
	        grep -v '^ ' $$lock > "$$fresh/kept" && grep -v '^ ' "$$fresh/$$lock" | diff "$$fresh/kept" - || { echo "error: $$lock is not current; run: make lock" >&2; exit 1; }; \
	    done; \
	else echo "uv is not here: the lock files are not checked."; fi

lock:  ## Bring the lock files to what pyproject.toml asks for (needs uv).
	@$(COMPILE) pyproject.toml -o $(INTO)requirements.lock
	@$(COMPILE) pyproject.toml --group dev -c $(INTO)requirements.lock -o $(INTO)requirements-dev.lock
	@printf 'hatchling>=1.27\neditables>=0.5\n' | \
	    $(COMPILE) - -c $(INTO)requirements-dev.lock -o $(INTO)requirements-build.lock

bench-locomo: .venv/.installed-dev  ## LoCoMo over HTTP: how much of the evidence recall finds, and how fast.
	@$(BIN)/python benchmarks/locomo.py

bench-recall: .venv/.installed-dev  ## The ranking alone, in process, on every set; half an hour.
	@for set in locomo beam longmemeval; do $(BIN)/python benchmarks/recall_offline.py $$set || exit 1; done
	@$(BIN)/python benchmarks/confidence.py
	@$(BIN)/python benchmarks/languages.py
	@$(BIN)/python benchmarks/memdaily.py

bench-learning: .venv/.installed-dev  ## What is understood, how much of it rightly, and how fast; twenty minutes.
	@for part in extraction evidence names summaries understanding consolidation; do \
	    $(BIN)/python benchmarks/$$part.py || exit 1; done
	@PYTHONPATH=training $(BIN)/python benchmarks/updates.py

bench-commerce: .venv/.installed-dev  ## The furniture retailer's wire over the whole sample store, and its related products.
	@$(BIN)/python benchmarks/commerce.py
	@$(BIN)/python benchmarks/related.py

fit: .venv/.installed-dev  ## Fit the ranker and its confidence anew; half an hour.
	@PYTHONPATH=benchmarks $(BIN)/python training/fit_ranker.py
	@PYTHONPATH=benchmarks $(BIN)/python training/fit_confidence.py
	@PYTHONPATH=benchmarks $(BIN)/python training/fit_entities.py
	@PYTHONPATH=benchmarks $(BIN)/python training/fit_related.py

bench-embedding: .venv/.installed-dev  ## What embedding costs here, and how exact it is.
	@$(BIN)/python benchmarks/embedding.py

bench-times: .venv/.installed-dev  ## Times in questions, against Microsoft's specifications.
	@$(BIN)/python benchmarks/times.py

bench-weight: .venv/.installed-dev  ## The installation, the start, the memory when idle.
	@$(BIN)/python benchmarks/weight.py

# ARGS='--quick' tries it out; ARGS='--home DIR' keeps the stores, and takes them the next time.
bench-speed: .venv/.installed-dev  ## Latency over HTTP at 10^5 and 10^6 memories in 1,000 tenants; 35 minutes.
	@PYTHONPATH=benchmarks $(BIN)/python -m speed $(ARGS)

# ARGS='--envs DIR' says where the environments are kept.
bench-peers: .venv/.installed-dev  ## mem0, LangGraph's store and Hindsight beside Recollect; fetches them from PyPI.
	@PYTHONPATH=benchmarks $(BIN)/python -m peers $(ARGS)

soak: .venv/.installed-dev  ## kill -9 while 10,000 messages are written: none lost, none doubled.
	@$(BIN)/python benchmarks/crash.py

clean:  ## Delete what was made here; the data of the demo stays.
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements.lock requirements-build.lock pyproject.toml
	@.ci/environment requirements.lock
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@.ci/environment requirements-dev.lock
	@touch $@
