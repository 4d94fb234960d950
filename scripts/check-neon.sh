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

kernels="$root/Sources/CKernels"
flags="-std=c17 -O1 -ffp-contract=off -fno-fast-math -Wall -Werror -I $kernels/include"
# Everything but the backward passes, which are no part of the arithmetic (rule 15).
sources=$(find "$kernels" -name training -prune -o -name '*.c' -print | sort)
driver="$root/scripts/neon/generate.c $root/scripts/neon/model.c"

# Programs are kept under a name that follows from their sources: a second run compiles nothing.
version=$(find "$kernels" "$root/scripts" -type f \( -name '*.[ch]' -o -name check-neon.sh \) -exec cksum {} + |
    sort | cksum | cut -d ' ' -f 1)
build="$root/.build/neon-$version"

# library COMPILER NAME: the kernels as an archive, compiled on all cores
library() {
    mkdir "$new/$2"
    (cd "$new/$2" && printf '%s\n' "$sources" | xargs -P "$(nproc)" -I {} sh -c \
        "$1 $flags -c {} -o \$(echo {} | cksum | tr ' ' _).o" && ar rc "../$2.a" ./*.o)
}

# program COMPILER LIBRARY TARGET FILE...
program() {
    tool=$1
    archive=$2
    target=$3
    shift 3
    # shellcheck disable=SC2086 # lists of words
    "$tool" $flags "$@" "$new/$archive.a" -o "$new/$target" -lm
}

if [ ! -d "$build" ]; then
    mkdir -p "$root/.build"
    new=$(mktemp -d "$root/.build/neon-new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    library "$compiler" arm
    # shellcheck disable=SC2086 # a list of files
    program "$compiler" arm arm-generate -static $driver
    program "$compiler" arm arm-vectors -static "$root/scripts/neon/check-vectors.c"
    library "${CC:-cc}" host
    # shellcheck disable=SC2086 # a list of files
    program "${CC:-cc}" host host-generate $driver
    # Whoever is first wins; the programs are the same.
    mv "$new" "$build" 2>/dev/null || true
fi

if [ $# -gt 0 ]; then
    exec "$emulator" "$build/arm-generate" neon "$1"
fi

results=$(mktemp -d)
trap 'rm -rf "$results" "${new:-$results}"' EXIT
if ! "$emulator" "$build/arm-vectors" >"$results/vectors"; then
    cat "$results/vectors" >&2
    echo "check-neon: the neon row computes other bits than the committed vectors" >&2
    exit 1
fi
echo "check-neon: $(grep -c '^neon' "$results/vectors") vectors equal on the neon row"

"$emulator" "$build/arm-generate" neon >"$results/neon"
for row in scalar avx2 avx512f avx512bf16; do
    "$build/host-generate" "$row" >"$results/$row" 2>/dev/null || continue
    if ! cmp -s "$results/neon" "$results/$row"; then
        echo "check-neon: the sample of the neon row differs from the one of $row" >&2
        exit 1
    fi
    echo "check-neon: sample equal on neon and $row"
done
