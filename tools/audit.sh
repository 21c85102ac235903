#!/bin/sh
# Ask what is known of the locked packages. Where nobody answers that is said, and no failure.
set -eu

tool=.venv/audit
if [ ! -x $tool/bin/pip-audit ]; then
    .venv/bin/python -m venv $tool
    if ! $tool/bin/pip install --quiet --disable-pip-version-check "pip-audit>=2.7" 2>/dev/null; then
        echo "the packages are not checked: pip-audit cannot be fetched" >&2
        rm -rf $tool
        exit 0
    fi
fi
found=$(mktemp)
trap 'rm -f "$found"' EXIT
if timeout 60 $tool/bin/pip-audit --require-hashes --disable-pip --progress-spinner off -r requirements.txt >"$found" 2>&1; then
    exit 0
fi
if grep -q 'Found [0-9]* known' "$found"; then
    cat "$found" >&2
    exit 1
fi
echo "the packages are not checked: nobody answers what is known of them" >&2
