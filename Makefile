# Everything runs from a clean clone with Python 3.11 or later and nothing else: `make demo`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --constraint constraints.txt
# uv does in seconds what takes pip a minute; where it cannot be had or cannot reach what pip can, pip does it.
INSTALL = $(PIP) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable $(1) \
  || $(PIP) --editable $(1)
SOURCES := contracts services deploy tests
# On every core at once, where pip would compile on one and nine processes that start together each for itself.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x /tests/ $(VENV)/lib contracts services deploy || true

.PHONY: help install demo test test-fast test-thorough test-turns test-faults before parts coverage mutants mutants-again metrics check lint fmt documents lock sbom audit bench chaos alerts dashboards workbooks recovery soak clean
.DEFAULT_GOAL := help

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(RUN)  ## make the virtual environment with what the demo needs

demo: $(RUN)  ## run the whole platform on this machine with pretend authorities
	$(BIN)/payback demo $(ARGS)

# What is compiled is kept, whatever the shell says: every worker compiles every test, and every process all of ours.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations 20

# Types take half a minute of one core where nothing is kept, while the tests start and wait for others.
test: lint parts  ## check the code and run every test, on Apache Kafka and PostgreSQL
	@nice $(BIN)/mypy & types=$$!; $(PYTEST) $(ARGS); tests=$$?; wait $$types || { echo "The types are wrong: make check"; exit 1; }; exit $$tests

test-fast: $(DEV)  ## run the tests that need no Kafka, PostgreSQL or browser, in less than two minutes
	$(PYTEST) --fast $(ARGS)

# Of every kind all, where `make test` asks a part: tests/support/generated/thorough.py.
test-thorough: parts  ## run every test, with all that it can ask and more examples: for the night
	PAYBACK_TEST_THOROUGH=1 $(PYTEST) --timeout 1800 $(ARGS)

# What a test leaves out today may be what it asserts that it saw. 719163 is the day 1 January 1970, as Python counts days.
ASK_IN_TURN = grep -rlE '\b(TURN|validate_each|assert_no_fault_of_ours)\b' tests --include='test_*.py'
test-turns: parts  ## run what asks another part each day as it will on the next three days
	@failed=0; for day in 1 2 3; do \
	  PAYBACK_TEST_TURN=$$(($$(date +%s) / 86400 + 719163 + day)) $(PYTEST) $$($(ASK_IN_TURN)) $(ARGS) || failed=1; \
	done; exit $$failed

test-faults: parts  ## run the tests that stop, kill and starve real parts
	$(PYTEST) -m faults $(ARGS)

before: parts  ## run the tests of the code from before the newest migration on the newest tables
	PYTHON=$(BIN)/python tests/version_before.sh

# The pure code that decides: rules, fold, disclosure, engine.
coverage: $(DEV)  ## say which lines of the code that decides no quick test runs
	$(PYTEST) --fast --cov --cov-report term-missing:skip-covered tests/unit tests/properties $(ARGS)

# mutmut asks for a newer click than faust takes, and runs with faust's.
# It makes its changes before it tries the first: so one small module is tried, before a sample is drawn of all.
MUTMUT := env PYTHONDONTWRITEBYTECODE= $(BIN)/mutmut run --max-children 1
mutants: $(DEV)  ## name changes to deciding code that no test notices: make mutants SAMPLE=12, or ARGS='services.records.model.fold*'
	$(PIP) libcst setproctitle textual && $(PIP) --no-deps mutmut
	$(MUTMUT) $(if $(SAMPLE),'services.records.model.control_totals*',$(if $(ARGS),'$(ARGS)'))
	$(if $(SAMPLE),$(BIN)/python -m tests.support.reports.mutants draw $(SAMPLE) $(SEED) | xargs $(MUTMUT))
	$(BIN)/mutmut results; $(BIN)/python -m tests.support.reports.mutants table

mutants-again: $(DEV)  ## try again what `make mutants` missed, each change made before anything is imported
	$(BIN)/python -m tests.support.reports.mutants again

metrics: $(DEV)  ## print how large and how tangled the source is
	@$(BIN)/python -m tests.support.reports.metrics

parts: $(DEV)  ## bring the programs that the tests want, or say how to
	@tests/parts.sh $(BIN)/python

check: lint  ## lint, formatting and types
	$(BIN)/mypy

lint: $(DEV)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

fmt: $(DEV)  ## format the code and mend what the linter can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

documents: $(DEV)  ## write the schemas, examples and reference pages that are made from the types
	$(BIN)/python -m contracts.generate
	$(BIN)/python -m services.connect.document
	$(BIN)/python -m deploy.prometheus.document
	$(BIN)/python -m deploy.prometheus.operator
	$(BIN)/python -m deploy.kafka.strimzi
	$(BIN)/python -m deploy.grafana.document
	$(BIN)/python -m deploy.perses.document
	$(BIN)/python -m tests.support.reports.access

LOCKED := deploy/requirements.txt
lock: $(DEV)  ## write which files the image is made of, by their hashes, after a change of dependencies
	@sed -n 1p $(LOCKED) >$(LOCKED).new
	$(BIN)/uv pip compile pyproject.toml --extra operations --extra tracing --constraint constraints.txt --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --quiet >>$(LOCKED).new
	@mv $(LOCKED).new $(LOCKED)

sbom: $(DEV)  ## write var/sbom.json, the list of what the image holds, as CycloneDX
	rm -rf var/image && $(PYTHON) -m venv --without-pip var/image
	$(BIN)/uv pip install --quiet --python var/image/bin/python --require-hashes --requirement $(LOCKED)
	$(BIN)/uv pip install --quiet --python var/image/bin/python --no-deps .
	var/image/bin/python deploy/without_demo.py
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file var/sbom.json var/image/bin/python

audit:  ## compare locked packages with lists of known vulnerabilities; 1 where one is found, or where no list can be had
	rm -rf var/audit && $(PYTHON) -m venv var/audit
	var/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	var/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $(LOCKED)
	var/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

bench: $(DEV)  ## measure; prints ratios, and ends with 1 where a target is missed
	@status=0; for bench in tests/load/bench_*.py; do \
	  echo "== $$bench"; $(BIN)/python -m $$(echo $${bench%.py} | tr / .) || status=1; \
	done; exit $$status

chaos: $(DEV)  ## inject faults in an order that seeds decide: make chaos ARGS="--seeds 20 --first 1"
	$(BIN)/python -m tests.faults.chaos $(ARGS)

alerts: parts  ## do every fault of a table to everything running: its alert fires, arrives and clears; prints times
	$(BIN)/python -m tests.faults.alerts $(ARGS)

dashboards: parts  ## run everything with a few faults, and take pictures of what Perses shows of it; wants npm
	$(BIN)/python -m tests.dashboards $(ARGS)

# LibreOffice is 96 MB to fetch, too much for every run of the tests.
workbooks: $(DEV)  ## open the workbooks of a release with LibreOffice, which is installed where it is not there
	@command -v soffice >/dev/null || apt-get install -y -qq --no-install-recommends libreoffice-calc >/dev/null
	$(BIN)/python -m pytest -n 0 tests/unit/reporting/files/test_workbooks.py $(ARGS)

recovery: parts  ## lose PostgreSQL under load, then Kafka, and bring them back; prints recovery points and times
	$(BIN)/python -m tests.faults.recovery
	$(BIN)/python -m tests.faults.kafka_recovery

soak: $(DEV)  ## send for an hour what the nation sends in a day, and see that nothing grows: make soak ARGS="--minutes 5"
	$(BIN)/python -m tests.load.soak $(ARGS)

clean:  ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) mutants .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed, and $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
	       "name another one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN): pyproject.toml constraints.txt | $(BIN)/python
	$(call INSTALL,.)
	@$(COMPILE)
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(call INSTALL,'.[dev]')
	@$(COMPILE)
	@touch $@ $(RUN)
