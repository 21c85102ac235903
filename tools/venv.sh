#!/bin/sh
# Make .venv anew: the locked dependencies, each checked by its hash, and the project itself, editable.
set -eu

good='import sys; sys.exit(sys.version_info < (3, 11))'
for python in "${PYTHON:-python3}" python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c "$good" 2>/dev/null; then break; fi
    python=
done
if [ -z "$python" ]; then
    echo "Console Chat needs Python 3.11 or newer; name it with: make PYTHON=/path/to/python3" >&2
    exit 1
fi

# Debian keeps venv in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=python3-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $package ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $package >/dev/null
    else
        echo "$python cannot make a virtual environment; as root: apt-get install $package" >&2
        exit 1
    fi
fi

echo "setting up .venv with $("$python" --version) ..."
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/ready
