# The two commands of the README, and what they need. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
BUILD := build
# In two processes, each with a part of the files as long as both have some: what the tests of a file share is made once.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

.PHONY: setup demo test test-all faults lint mutants fuzz map docs screenshots bench bench-storage clean

setup: .venv/installed

# Bytecode at once: uv leaves it to the first import, and where nothing may be written then, every process would compile anew.
.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $@

# Search built-in synthetic foils (4 minutes), select (3 to 6 on 2 cores), export, predict (seconds). The study `demo` is in
# studies.db, so that `pitsearch status` works in this folder. Run again, it goes on with the study, and keeps the data and the
# exported model.
demo: setup
	mkdir -p demo
	test -d demo/foils || $(BIN)/pitsearch synth demo/foils --seed 1
	$(BIN)/pitsearch check demo/foils --sheet demo/foils.png
	$(BIN)/pitsearch launch demo/foils --study demo --minutes 4
	$(BIN)/pitsearch select --study demo --top 3 --repeats 2
	if test -d demo/best; then echo "demo/best stays as it is; remove it to export what is selected now"; \
	else $(BIN)/pitsearch export --study demo demo/best; fi
	$(BIN)/pitsearch predict demo/best demo/foils --out demo/scores.csv

test: lint
	$(PYTEST) $(COVERAGE) -m 'not slow'

# The slow ones, too; and which lines of the packages the fast tests run: at least the share in pyproject.toml. An hour on 2 cores that
# do nothing else.
test-all: COVERAGE := --cov
test-all: test
	$(PYTEST) -m slow

# Play every fault against real processes on SQLite or PostgreSQL, with a line each at the end; part of test-all. 18 minutes on 2 cores.
faults: setup
	$(PYTEST) tests/faults --quiet

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs
	$(BIN)/lint-imports
	$(BIN)/python docs/make_map.py --check

# Change the code that decides, one place at a time, and see whether its tests notice: docs/mutants.md. MODULES="verdicts folds" for
# some of it; all of it takes an hour on 2 cores.
# mutmut has a folder of its own: it brings setproctitle, by which Dask gives its workers names that SLURM's linuxproc cannot read.
mutants: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --target $(BUILD)/mutmut mutmut
	PYTHONPATH=$(CURDIR)/$(BUILD)/mutmut nice -n 15 $(BIN)/python -m tests.mutants $(MODULES)

# Damage every kind of file and record that is read, in other ways in every run, some thousand times each: hours.
EXAMPLES ?= 3000
fuzz: setup
	PITSEARCH_FUZZ=$(EXAMPLES) nice -n 15 $(BIN)/python -m pytest --quiet -m 'not slow' tests/test_readers.py tests/foils/test_fuzz.py \
	  tests/foils/test_image_fields.py tests/spaces/test_fuzz.py tests/models/inference/test_fuzz.py tests/search/launcher/test_fuzz.py

# Write docs/map.md from the docstrings of the modules.
map: setup
	$(BIN)/python docs/make_map.py

# Build the documentation as a site that works offline: build/site/index.html. A warning ends it, as where a link leads nowhere.
docs: setup
	rm -rf $(BUILD)/site
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -d $(BUILD)/doctrees docs $(BUILD)/site

# Take the pictures of README and docs anew that are older than the templates and the code they show: minutes where a search must be
# shown. Wants Debian's chromium.
screenshots: setup
	$(BIN)/python docs/make_screenshots.py

# Measure against a plain script and against the machine: tables, and benchmarks/results.json. Wants a quiet machine and several hours.
bench: setup
	$(BIN)/python -m benchmarks

# The part of it that says what sampler and storage take, with up to 64 workers, on SQLite, PostgreSQL and gRPC: 40 minutes.
# Wants PostgreSQL's server programs (Debian's postgresql-15) and 8 GB of memory.
bench-storage: setup
	$(BIN)/python -m benchmarks load storage --rounds 3

# What can be made again; data, studies and models stay.
clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache
