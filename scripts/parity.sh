#!/bin/sh
# Run the encoder's parity tests with sentence-transformers beside it, in a virtual environment of its own: torch is no
# dependency of the product. torch is named first, so that a CPU build that pip knows of is taken.
set -eu
cd "$(dirname "$0")/.."
venv=.venv-torch
if [ ! -x "$venv/bin/pip" ]; then
    "${PYTHON:-python3.11}" -m venv "$venv"
fi
if ! "$venv/bin/python" -c "import sentence_transformers" 2>/dev/null; then
    "$venv/bin/pip" install --quiet "torch==2.13.0" "sentence-transformers>=6.2"
fi
# What the product pins comes from its own environment, read only; the torch packages above come first.
site=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
PYTHONPATH="$PWD" RL_EMAILS_PRODUCT_PACKAGES="$site" "$venv/bin/python" - <<'PYTHON'
import os
import sys

sys.path.append(os.environ["RL_EMAILS_PRODUCT_PACKAGES"])
import pytest

sys.exit(
    pytest.main(
        [
            "--confcutdir=tests/embedding",
            "-p", "no:cacheprovider",
            # transformers and torch warn of their own future; that is not what is tested here.
            "-W", "ignore::DeprecationWarning",
            "-W", "ignore::FutureWarning",
            "tests/embedding/test_encoder_parity.py",
            "tests/embedding/test_torch_encoder.py",
        ]
    )
)
PYTHON
