# SPDX-License-Identifier: MPL-2.0
# For oracle.sh and tests/bench/vt.sh: sets vt_modules and builds build/vt/dump.
vt_modules=${RVKIT_CACHE:-$HOME/.cache/rvkit}/vt-oracle-$(cksum <tests/vt/package-lock.json | cut -d' ' -f1)
if ! [ -f "$vt_modules/done" ]; then
    rm -rf "$vt_modules" && mkdir -p "$vt_modules" && cp tests/vt/package.json tests/vt/package-lock.json "$vt_modules/" &&
        (cd "$vt_modules" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier) >&2 &&
        touch "$vt_modules/done" || { echo "tests/vt: npm cannot fetch @xterm/headless" >&2; exit 1; }
fi
mkdir -p build/vt
${CC:-gcc} -std=gnu11 -Wall -Wextra -Werror -O2 -g -Isrc -Iinclude tests/vt/dump.c src/frontends/vt*.c -o build/vt/dump || exit 1
