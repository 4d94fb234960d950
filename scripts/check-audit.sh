#!/usr/bin/env bash
# The release gate of verification, small: every honest rollout must be accepted and every attack that changes anything
# must be rejected, against two models whose weights nobody has seen before. (docs/verification.md has the long run.)
set -euo pipefail
cd "$(dirname "$0")/.."
apus=.build/release/apus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seed=${APUS_AUDIT_SEED:-$RANDOM}
for shape in nano tiny; do
    "$apus" model new --shape "$shape" --out "$work/$shape" --seed "$seed" >/dev/null
    "$apus" audit-report --model "$work/$shape" --rollouts 16 --honest 64 --max-tokens 40 --threads 1 --seed "$seed" --no-cost \
        >"$work/report" 2>"$work/log" || {
        cat "$work/report" "$work/log" >&2
        echo "apus audit-report fails on a random $shape model; APUS_AUDIT_SEED=$seed repeats it" >&2
        exit 1
    }
    echo "apus audit-report on a random $shape model (seed $seed): $(grep '^passed' "$work/report")"
done
