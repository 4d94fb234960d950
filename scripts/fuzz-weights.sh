#!/usr/bin/env bash
# A million hostile inputs for everything that carries weights: block bodies (in C, under address and undefined-behaviour
# sanitizers), whole difference streams on their way to files and to memory, and manifests with shards' names in them.
#
#     scripts/fuzz-weights.sh [CASES=1000000] [SEED=1]
#
# The Swift part runs the loops of the tests, which must be built (make test does it), one after the other; each fails where the
# process's peak memory rises by more than 128 MiB, or what it asks for by more than 1 GiB.
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-1000000} seed=${2:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
clang -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fuse-ld=lld -I Sources/CDelta/include \
    -o "$folder/fuzz" scripts/fuzz-deltas.c Sources/CDelta/*.c
"$folder/fuzz" "$cases" "$seed"
for loop in fuzzedBodies fuzzedStreams fuzzedReaders fuzzedManifests; do
    APUS_FUZZ_CASES=$cases swift test -c release -Xswiftc -enable-testing --skip-build --filter "$loop"
done
