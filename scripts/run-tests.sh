#!/usr/bin/env bash
# `swift test` whose last lines say what failed: a thousand lines of passes would hide it.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test "$@" 2>&1 | tee "$log"
code=$?
if [ "$code" != 0 ]; then
    printf '\nWhat failed:\n'
    grep -aE '^✘ Test .* recorded an issue|error: |Fatal error|unexpected signal' "$log" | cut -c1-1500 | tail -40
fi
exit "$code"
