#!/bin/sh
# Make .venv-torch: sentence-transformers beside the product, for the parity tests and the encoder's benchmark. torch is
# no dependency of the product; it is named first, so that a CPU build that pip knows of is taken.
set -eu
cd "$(dirname "$0")/.."
venv=.venv-torch
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3.11}" -m venv "$venv"
if ! "$venv/bin/python" -c "import sentence_transformers" 2>/dev/null; then
    "$venv/bin/pip" install --quiet "torch==2.13.0" "sentence-transformers>=6.2"
fi
# What the product pins comes from its own environment, after what torch brought.
site=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
own=$("$venv/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
printf '%s\n%s\n' "$site" "$PWD" >"$own/product.pth"
