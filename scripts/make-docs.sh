#!/usr/bin/env bash
# Regenerates the pages that are written by the code; the tests compare them with it.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release -Xswiftc -enable-testing --build-tests
APUS_WRITE_DOCS=1 swift test -c release -Xswiftc -enable-testing --skip-build --filter "SettingsReferenceTests|OpenEnvironmentTests"
