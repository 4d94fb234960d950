#!/usr/bin/env bash
# Sample 0 of `apus generate` must be the same text of bits whatever else is drawn, on any number of threads and on every
# row of this machine, and `apus score` must give the same log-probabilities. (The NEON row: scripts/check-neon.sh.)
set -euo pipefail
cd "$(dirname "$0")/.."
apus=.build/release/apus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$apus" model new --shape nano --out "$work/model" --seed 3 >/dev/null
rows=$("$apus" kernels | sed -n 's/.*; rows //p' | sed 's/ (in use)//g; s/,//g')
for row in $rows; do
    for threads in 1 2; do
        for n in 1 5 13; do
            "$apus" generate --model "$work/model" --prompt '31524>' --n "$n" --max-tokens 48 --threads "$threads" --row "$row" \
                --seed 7 | sed -n 1p >>"$work/samples"
        done
    done
done
[ "$(sort -u "$work/samples" | wc -l)" -eq 1 ] || { echo "apus generate depends on --n, --threads or --row" >&2; exit 1; }
python3 - "$work" "$apus" $rows <<'PYTHON'
import json, subprocess, sys

work, apus, *rows = sys.argv[1:]
with open(f"{work}/samples", encoding="utf-8") as file:
    sample = json.loads(file.readline())
tokens = sample["prompt_tokens"] + sample["tokens"]
with open(f"{work}/tokens.jsonl", "w", encoding="utf-8") as file:
    file.write(json.dumps({"tokens": tokens}) + "\n")
for row in rows:
    command = [apus, "score", "--model", f"{work}/model", "--input", f"{work}/tokens.jsonl", "--row", row]
    scored = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["logprobs"]
    if scored[len(sample["prompt_tokens"]):] != sample["logprobs"]:
        sys.exit(f"apus score differs from apus generate on row {row}")
PYTHON
echo "apus generate and apus score agree on $(wc -l <"$work/samples") runs over rows: $rows"
