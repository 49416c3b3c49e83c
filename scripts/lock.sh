#!/bin/sh
# Pin dependencies with hashes. The files name no registry, so they install from any mirror.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3.11}" -m venv "$tools"
"$tools/bin/pip" install --quiet uv
compile() { "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@"; }
compile pyproject.toml -o requirements/base.txt
compile pyproject.toml --extra dev -c requirements/base.txt -o requirements/dev.txt
compile requirements/build.in -o requirements/build.txt
compile requirements/model.in --no-deps -o requirements/model.txt
