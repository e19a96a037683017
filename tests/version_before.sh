#!/usr/bin/env bash
# Tests of an older version's code, by default that from before the newest migration, on the tables as this version leaves them.
set -euo pipefail
python=$(realpath -s "${PYTHON:-.venv/bin/python}")
older=${1:-$(git log -1 --diff-filter=A --format=%H -- 'services/*/migrations/versions/*.py')^}
git log -1 --format='%h %s' "$older"
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
git archive "$older" | tar -x -C "$before"
"$python" -m tests.support.running.newest_tables env --chdir "$before" \
  "$python" -m pytest -q -p no:cacheprovider tests/integration/records/test_worker.py tests/integration/reporting/ingest/test_lacking.py
