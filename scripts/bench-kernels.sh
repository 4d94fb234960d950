#!/bin/sh
# Compiles the kernels as SwiftPM does and prints the rates of every row of this machine, one thread.
#   scripts/bench-kernels.sh streamed    products whose weights come from memory, one thread and two
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# shellcheck disable=SC2046 # a list of files
"${CC:-clang}" -std=gnu17 -D_GNU_SOURCE -O3 -fPIC -fno-omit-frame-pointer -ffp-contract=off -fno-fast-math \
    -I "$root/Sources/CKernels/include" -pthread \
    "$root/Benchmarks/kernels.c" $(find "$root/Sources/CKernels" -name '*.c') -o "$build/bench" -lm
"$build/bench" "$@"
