#!/bin/sh
# Cross-compiles the kernels for 64-bit Arm, runs them under qemu-user and compares every digest with the committed
# one; then generates a sample of a small model on the neon row and on this machine's rows and compares those.
#   scripts/check-neon.sh            all checks
#   scripts/check-neon.sh DUMP       only generates from DUMP on the neon row (see scripts/neon/model.h)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
compiler=aarch64-linux-gnu-gcc
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
if ! command -v "$compiler" >/dev/null || [ -z "$emulator" ]; then
    echo "check-neon: the Arm compiler or the emulator is missing; install them with:" >&2
    echo "  apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" >&2
    exit 69
fi

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
kernels="$root/Sources/CKernels"
flags="-std=c17 -O2 -ffp-contract=off -fno-fast-math -Wall -Werror -I $kernels/include"
# Everything but the backward passes, which are no part of the arithmetic (rule 15).
sources=$(find "$kernels" -name training -prune -o -name '*.c' -print | sort)

# library COMPILER NAME: the kernels as an archive, compiled on all cores
library() {
    mkdir "$build/$2"
    (cd "$build/$2" && printf '%s\n' "$sources" | xargs -P "$(nproc)" -I {} sh -c \
        "$1 $flags -c {} -o \$(echo {} | cksum | tr ' ' _).o" && ar rc "../$2.a" ./*.o)
}

# program COMPILER LIBRARY TARGET FILE...
program() {
    tool=$1
    archive=$2
    target=$3
    shift 3
    # shellcheck disable=SC2086 # lists of words
    "$tool" $flags "$@" "$build/$archive.a" -o "$build/$target" -lm
}

driver="$root/scripts/neon/generate.c $root/scripts/neon/model.c"
library "$compiler" arm
# shellcheck disable=SC2086 # a list of files
program "$compiler" arm arm-generate -static $driver
if [ $# -gt 0 ]; then
    exec "$emulator" "$build/arm-generate" neon "$1"
fi

program "$compiler" arm arm-vectors -static "$root/scripts/neon/check-vectors.c"
if ! "$emulator" "$build/arm-vectors" >"$build/vectors"; then
    cat "$build/vectors" >&2
    echo "check-neon: the neon row computes other bits than the committed vectors" >&2
    exit 1
fi
echo "check-neon: $(grep -c '^neon' "$build/vectors") vectors equal on the neon row"

"$emulator" "$build/arm-generate" neon >"$build/neon-sample"
library "${CC:-cc}" host
# shellcheck disable=SC2086 # a list of files
program "${CC:-cc}" host host-generate $driver
for row in scalar avx2 avx512f avx512bf16; do
    "$build/host-generate" "$row" >"$build/$row-sample" 2>/dev/null || continue
    if ! cmp -s "$build/neon-sample" "$build/$row-sample"; then
        echo "check-neon: the sample of the neon row differs from the one of $row" >&2
        exit 1
    fi
    echo "check-neon: sample equal on neon and $row"
done
