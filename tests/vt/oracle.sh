#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Compares this terminal with @xterm/headless: generated sessions and those recorded in tests/vt/sessions.
# Usage: tests/vt/oracle.sh [COUNT [SEED]]     8000 sessions (about 20 sequences each) from seed 1
# @xterm/headless comes from npm, pinned by tests/vt/package-lock.json, into the cache.
cd "$(dirname "$0")/../.." || exit 1
. tests/vt/lib.sh
exec node tests/vt/oracle.mjs "$vt_modules" "$PWD/build/vt/dump" "${2:-1}" "${1:-8000}" tests/vt/sessions/*
