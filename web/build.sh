#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# Puts the page together in web/dist: static files, with relative addresses, for any host and path.
#
#   web/build.sh            the page; needs build/web/rvkit.js and rvkit.wasm (`make web-engine`)
#   web/build.sh -guest     and the guest beside it (guest/build.sh kernel initramfs)
#
# Environment: ENGINE=DIR where the engine is (default build/web), DIST=DIR where the page goes (default
# web/dist), LINUX=6.1|6.12. Ends with an error when a part is larger than it may be.
set -eu
cd "$(dirname "$0")"
engine=${ENGINE:-../build/web}
dist=${DIST:-dist}
wasm_limit=350 js_limit=250 # kB of 1024 bytes, gzipped

guest=
case ${1:-} in
-guest) guest=yes ;;
'') ;;
*) echo "web/build.sh: $1: the only option is -guest" >&2 && exit 2 ;;
esac
for file in rvkit.js rvkit.wasm; do
    [ -f "$engine/$file" ] || { echo "web/build.sh: $engine/$file is missing: make web-engine" >&2 && exit 1; }
done

# What npm put here fits the lock file, or it is put here anew.
if ! cmp -s package-lock.json node_modules/.rvkit-lock; then
    echo 'fetching what the page is made of from npm'
    # npm keeps them in the home too, if that can be written.
    if [ ! -w "${HOME:-/}" ]; then
        npm_config_cache=$(mktemp -d)
        export npm_config_cache
        trap 'rm -rf "$npm_config_cache"' EXIT
    fi
    npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error --fetch-retries 1 ||
        { echo "web/build.sh: npm could not fetch what the page is made of; is there a network?" >&2 && exit 1; }
    cp package-lock.json node_modules/.rvkit-lock
fi

# The page that is there stays when it was made of the same.
kernel= initramfs=
[ -z "$guest" ] || kernel=$(../guest/build.sh path kernel) initramfs=$(../guest/build.sh path initramfs)
inputs=$(
    echo "$kernel $initramfs"
    find build.sh minify.js list-files.js package-lock.json page src "$engine/rvkit.js" "$engine/rvkit.wasm" -type f \
        -exec sha256sum {} + | LC_ALL=C sort
)
if [ -d "$dist" ] && [ "$inputs" = "$(cat "$dist.inputs" 2>/dev/null)" ]; then
    echo "$dist is complete"
    exit
fi

new=$dist.new
rm -rf "$new"
mkdir -p "$new/vendor" "$new/rvkit"
cp page/* "$new/"
cp -R src/. "$new/rvkit/"
rm -f "$new"/rvkit/*.d.ts
cp "$engine/rvkit.js" "$engine/rvkit.wasm" "$new/rvkit/"
# What only Node or other pages use is not for this one.
rm -rf "$new/rvkit/node" "$new/rvkit/element.js"
cp node_modules/@xterm/xterm/css/xterm.css "$new/vendor/"
cat node_modules/@xterm/xterm/LICENSE >"$new/vendor/LICENSE.txt"
for name in xterm addon-fit addon-search addon-unicode-graphemes addon-web-links addon-webgl; do
    # The comment at the end leads to a source map that is not here.
    sed '/^\/\/# sourceMappingURL=/d' "node_modules/@xterm/$name/lib/$name.mjs" >"$new/vendor/$name.mjs"
done
if [ "$guest" ]; then
    mkdir "$new/guest"
    gzip -9nc "$kernel" >"$new/guest/Image.gz"
    gzip -9nc "$initramfs" >"$new/guest/initramfs.gz"
fi
node minify.js "$new"
node list-files.js "$new"

# --- Sizes ---

packed() { gzip -9nc "$@" | wc -c; }
report() { printf '%-28s %8d bytes %8d gzipped\n' "$1" "$2" "$3"; }
total=0 packed_total=0
for file in $(cd "$new" && find . -name '*.js' -o -name '*.mjs' | LC_ALL=C sort); do
    total=$((total + $(wc -c <"$new/$file"))) packed_total=$((packed_total + $(packed "$new/$file")))
done
wasm=$(packed "$new/rvkit/rvkit.wasm")
report rvkit.wasm "$(wc -c <"$new/rvkit/rvkit.wasm")" "$wasm"
report 'xterm.js and its addons' "$(cat "$new"/vendor/*.mjs | wc -c)" \
    "$(for file in "$new"/vendor/*.mjs; do packed "$file"; done | awk '{ n += $1 } END { print n }')"
report 'JavaScript, all of it' "$total" "$packed_total"
[ "$wasm" -le $((wasm_limit * 1024)) ] || { echo "rvkit.wasm is larger than $wasm_limit kB" >&2 && exit 1; }
[ "$packed_total" -le $((js_limit * 1024)) ] || { echo "the JavaScript is larger than $js_limit kB" >&2 && exit 1; }
rm -rf "$dist.inputs" "$dist"
mv "$new" "$dist"
echo "$inputs" >"$dist.inputs"
echo "$dist is complete"
