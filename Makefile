# The tasks of this repository. Needs make and Python 3.11 or newer; everything else is installed into .venv,
# pinned by hash. `make` alone lists the tasks.
#
#   PYTHON=python3.12 make test     choose the interpreter (only read when .venv is created)
#   make demo DEMO_ARGS=--no-serve  pass options to `audit demo`
#   make test TEST_ARGS="-k tree"   pass options to pytest

PYTHON ?= python3
DEMO_ARGS ?=
TEST_ARGS ?=
UV ?= uv

VENV := .venv
# Two environments without the project, for the tests that install the wheel: what an auditor has, what a city has.
AUDITOR := .venv-auditor
CITY := .venv-city
BIN := $(VENV)/bin
# No source distribution is ever built, so no unpinned build tool is ever fetched and nobody's set-up code runs.
LOCKED := --quiet --disable-pip-version-check --require-hashes --only-binary=:all:
PIP_LOCKED := $(BIN)/python -m pip install $(LOCKED)
PIP_PROJECT := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
LOCK := $(UV) --no-config pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-annotate --quiet

.PHONY: help demo test test-browser lint format wheel torture bench docs lock clean

help:
	@printf '%s\n' \
	'make demo          set up, build the demo city through the HTTP API, print it beside the page, serve it on port 8000' \
	'make test          set up and run all tests but those that need a browser' \
	'make test-browser  run the tests that need a Chromium' \
	'make lint          ruff (rules and format), mypy --strict, import-linter' \
	'make format        format the code and apply the safe fixes of ruff' \
	'make wheel         build dist/audit_service-*.whl' \
	'make torture       a million malformed requests, ten thousand crashes and power cuts, ten million entries (12 GB)' \
	'make bench         run the benchmarks and print their ratios' \
	'make docs          write the generated pages of docs/reference and docs/streams again' \
	'make lock          maintainers: resolve the dependencies again into requirements/*.txt (needs uv)' \
	'make clean         remove .venv, var and everything that was built'

demo: $(VENV)/.server
	$(BIN)/audit demo $(DEMO_ARGS)

test: $(VENV)/.dev $(AUDITOR)/.ready $(CITY)/.ready
	$(BIN)/python -m pytest -m "not browser" $(TEST_ARGS)

test-browser: $(VENV)/.dev
	$(BIN)/python -m pytest -m browser $(TEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.dev
	$(BIN)/hatchling build --target wheel

torture: $(VENV)/.dev
	FUZZ_REQUESTS=1000000 $(BIN)/python -m pytest -s tests/threats/test_t21_malformed_requests.py $(TEST_ARGS)
	TORTURE_CRASHES=10000 TORTURE_POWER_CUTS=10000 TORTURE_FLIPS=3000 $(BIN)/python -m pytest \
		tests/faults/test_crash_points.py tests/faults/test_power_loss.py tests/faults/test_fsck.py $(TEST_ARGS)
	$(BIN)/python benchmarks/scale.py --entries 10000000

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/ingest.py
	PYTHONPATH=. $(BIN)/python benchmarks/databases.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python benchmarks/reports.py
	$(BIN)/python benchmarks/submission.py
	$(BIN)/python benchmarks/domain.py
	$(BIN)/python benchmarks/single_posts.py
	$(BIN)/python benchmarks/snapshots.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/peers.py

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py

lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv; set UV=/path/to/uv" >&2; exit 1; }
	$(LOCK) --output-file requirements/base.txt pyproject.toml
	$(LOCK) --output-file requirements/server.txt --extra server pyproject.toml
	$(LOCK) --output-file requirements/dev.txt --extra dev pyproject.toml
	$(LOCK) --output-file requirements/build.txt --constraint requirements/dev.txt requirements/build.in

clean:
	rm -rf $(VENV) $(AUDITOR) $(CITY) var dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps: a task runs at once when nothing that it was installed from has changed.
$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and there is no $(PYTHON) here. Set PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) -V 2>&1`. Set PYTHON=/path/to/python3." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.project: $(VENV)/.created requirements/build.txt pyproject.toml
	$(PIP_LOCKED) -r requirements/build.txt
	$(PIP_PROJECT)
	@touch $@

$(VENV)/.server: $(VENV)/.project requirements/server.txt
	$(PIP_LOCKED) -r requirements/server.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.server requirements/dev.txt
	$(PIP_LOCKED) -r requirements/dev.txt
	@touch $@

$(AUDITOR)/.ready: $(VENV)/.created requirements/base.txt
	$(BIN)/python -m venv --without-pip --clear $(AUDITOR)
	$(BIN)/python -m pip --python $(AUDITOR) install $(LOCKED) -r requirements/base.txt
	@touch $@

$(CITY)/.ready: $(VENV)/.created requirements/server.txt
	$(BIN)/python -m venv --without-pip --clear $(CITY)
	$(BIN)/python -m pip --python $(CITY) install $(LOCKED) -r requirements/server.txt
	@touch $@
