#!/bin/sh
# Compiles the kernels as SwiftPM does and prints the rates of every row of this machine, one thread.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# shellcheck disable=SC2046 # a list of files
"${CC:-clang}" -std=c17 -O3 -g -fPIC -fno-omit-frame-pointer -ffp-contract=off -fno-fast-math -I "$root/Sources/CKernels/include" \
    "$root/Benchmarks/kernels.c" $(find "$root/Sources/CKernels" -name '*.c') -o "$build/bench" -lm
"$build/bench"
