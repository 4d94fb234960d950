#!/usr/bin/env bash
# Measures this machine and writes docs/benchmarks.md: the whole loop (five demos), the engine, the proofs.
#
# Runs are repeated and medians quoted; the machine should be quiet. Peers are compared in a later step of the project.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.build/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seeds="${BENCH_SEEDS:-0 1 2 3 4}"

for seed in $seeds; do
    echo "demo, seed $seed" >&2
    "$bin/apus" demo --out "$work/demo-$seed" --seed "$seed" >"$work/demo-$seed.txt"
    "$bin/apus" ledger verify --db "$work/demo-$seed/orchestrator.sqlite" >"$work/ledger-$seed.txt"
done
"$bin/apus" model new --shape small --out "$work/small" >/dev/null
for threads in 1 2; do
    for what in "generate --batch 64 --prompt 64 --new 64" "prefill" "train" "verify"; do
        # shellcheck disable=SC2086
        "$bin/apus" bench $what --threads "$threads" --repeats 5 >>"$work/engine.jsonl"
        # shellcheck disable=SC2086
        "$bin/apus" bench $what --threads "$threads" --repeats 3 --model "$work/small" >>"$work/engine.jsonl"
    done
done
for hidden in 64 576 1024; do "$bin/apus" bench toploc --hidden "$hidden" >>"$work/toploc.jsonl"; done
python3 scripts/write-benchmarks.py "$work" >docs/benchmarks.md
echo "docs/benchmarks.md is written." >&2
