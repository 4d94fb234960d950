#!/usr/bin/env bash
# Generates Sources/Messages/Generated/apus.pb.swift from Protos/apus.proto.
#
# The generated file is committed, so that nobody needs protoc to build Apus. Run this after a change of the schema
# and commit both files together.
#
# Needs: protoc (Debian: protobuf-compiler) and protoc-gen-swift. The plugin is not packaged by Debian; without one in
# PATH, this script builds it once from the swift-protobuf that the package itself resolved, outside of the
# repository (PROTOC_GEN_SWIFT names another one).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v protoc >/dev/null || { echo "protoc is missing: apt-get install protobuf-compiler" >&2; exit 69; }

plugin="${PROTOC_GEN_SWIFT:-$(command -v protoc-gen-swift || true)}"
if [[ -z "$plugin" ]]; then
    source=.build/checkouts/swift-protobuf
    [[ -d "$source" ]] || swift package resolve
    scratch="${XDG_CACHE_HOME:-$HOME/.cache}/apus/protoc-gen-swift"
    mkdir -p "$scratch"
    swift build --package-path "$source" --scratch-path "$scratch" --product protoc-gen-swift
    plugin="$scratch/debug/protoc-gen-swift"
fi

protoc --plugin="protoc-gen-swift=$plugin" --proto_path=Protos \
    --swift_opt=Visibility=Public --swift_opt=UseAccessLevelOnImports=true \
    --swift_out=Sources/Messages/Generated apus.proto
