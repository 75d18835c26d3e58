#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# rvkit-relay, driven by hand-made WebSockets, frames and requests (relay.py). RELAY=PROGRAM: another one than build's.
# Arguments: words; only tests with one of them in their names run.
cd "$(dirname "$0")/../.." || exit 1
relay=$(realpath "${RELAY:-build/rvkit-relay}") || exit 1
dir=$(mktemp -d "${TMPDIR:-/tmp}/rvkit-relay.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
# What is freed is not kept for long, so that memory can be measured.
export ASAN_OPTIONS="quarantine_size_mb=8:${ASAN_OPTIONS-}" PYTHONDONTWRITEBYTECODE=1
python3 tests/relay/relay.py "$relay" "$dir" "$@"
