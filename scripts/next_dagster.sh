#!/bin/sh
# Run the tests that touch Dagster on its newest releases, pre-releases included, in .venv-next: its packages lie over
# those of .venv, and everything else is shared. What is newer than the pins is not installed for anybody by this.
set -eu
cd "$(dirname "$0")/.."
venv=.venv-next
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3.11}" -m venv "$venv"
# Without dependencies: Dagster's packages pin one another, and the newest of one may be out before the others are.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade --pre \
    dagster dagster-shared dagster-pipes dagster-graphql dagster-postgres dagster-webserver dagster-celery
# Its worker calls this command by its name.
celery=$(.venv/bin/python -c "from importlib.metadata import version; print(version('celery'))")
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --ignore-installed "celery==$celery"
site=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
own=$("$venv/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
printf '%s\n%s\n' "$site" "$PWD" >"$own/product.pth"
"$venv/bin/pip" list --disable-pip-version-check --path "$own" | grep -i '^dagster'
[ $# -gt 0 ] || set -- tests/instance tests/worker tests/graph
# The releases come out one package after the other; that they differ for a day is no finding.
exec "$venv/bin/python" -m pytest -p no:cacheprovider -W "ignore:Found version mismatch" "$@"
