#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Checks the walls of CONTRIBUTING.md: who includes whom, who may call what, and house-keeping of files.
# Usage: tests/walls.sh [ROOT]   Prints "ok NAME" or "not ok NAME" with the offending lines.
self=$(cd "$(dirname "$0")" && pwd)/walls.sh
cd "${1:-$(dirname "$0")/..}" || exit 1
passed=0 failed=0

# A small tree that breaks fifteen walls must be told so fifteen times.
if [ $# -eq 0 ]; then
    bad=$(mktemp -d) && trap 'rm -rf "$bad"' EXIT
    mkdir -p "$bad/web/src/host" "$bad/src/frontends/wasm" "$bad/src/cpu" "$bad/src/devices" "$bad/src/frontends" "$bad/include" "$bad/sdl" "$bad/relay"
    echo '#include "../src/machine.h"' >"$bad/sdl/a.c"
    echo 'document.title = 1;' >"$bad/web/src/host/a.js"
    echo "import { Terminal } from '@xterm/xterm';" >"$bad/web/src/a.js"
    echo '#include "../../devices/plic.h"' >"$bad/src/frontends/wasm/a.c"
    echo '#include "../devices/plic.h"' >"$bad/src/cpu/a.c"
    printf '#include <unistd.h>\nint *p = rvvm_get_dma_ptr(0);\n' >"$bad/src/devices/virtio_a.c"
    printf '#include "../cpu/state.h"\n#include <SDL2/SDL.h>\n' >"$bad/src/frontends/a.c"
    printf '#include "b.c"\nstatic int count = 0;\nint f(void) { exit(1); }\n' >"$bad/src/a.c"
    printf '#include <sys/mman.h>\n#include <libwebsockets.h>\n' >"$bad/include/a.h"
    echo '#include "../src/machine.h"' >"$bad/relay/a.c"
    (cd "$bad" && git init -q . && git add . && sh "$self" . >told 2>&1)
    if [ "$(grep -c '^not ok' "$bad/told")" -eq 15 ]; then
        echo 'ok a tree that breaks fifteen walls is refused fifteen times' && passed=1
    else
        sed 's/^/# /' "$bad/told" && echo 'not ok a tree that breaks fifteen walls is refused fifteen times' && failed=1
    fi
fi

# report NAME LINES: the offending lines, if any.
report() {
    lines=$2
    if [ -z "$lines" ]; then
        echo "ok $1"
        passed=$((passed + 1))
    else
        printf '%s\n' "$lines" | sed 's/^/# /'
        echo "not ok $1"
        failed=$((failed + 1))
    fi
}

# includes DIR...: "file:line:header" of every #include below the folders.
includes() {
    find "$@" -name '*.[ch]' -exec grep -nH '^[[:space:]]*#[[:space:]]*include' {} + |
        sed 's/#[[:space:]]*include[[:space:]]*//'
}

system='<(assert|ctype|errno|float|inttypes|limits|math|setjmp|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|time)\.h>'
os='<(unistd|fcntl|pthread|signal|termios|poll|sched|netdb|dirent|dlfcn|windows|sys/[a-z]+|arpa/[a-z]+|netinet/[a-z]+|linux/[a-z_]+|emscripten[a-z/.]*)\.h>'

report 'src/cpu includes only src/cpu, bus.h, util.h' "$(
    includes src/cpu |
    grep -vE ":($system|\"[a-z_]+\.(h|def)\"|\"\.\./(bus|util)\.h\")"
)"

report 'src/devices includes only the public API, its own headers, util.h' "$(
    includes src/devices |
    grep -vE ":($system|<rvvm/[a-z0-9_/]+\.h>|\"[a-z0-9_]+\.h\"|\"\.\./util\.h\")"
)"

report 'operating system headers stay in src/host and src/frontends' "$(
    includes src | grep -E ":$os" | grep -vE '^src/(host|frontends)/'
)"

report 'src/frontends does not reach into src/cpu or src/devices' "$(
    includes src/frontends | grep -E '"(\.\./)*(cpu|devices)/' |
    grep -vE '^src/frontends/wasm/[a-z_]+\.[ch]:[0-9]+:"\.\./\.\./devices/virtio_(blk|net)\.h"'
)"

report 'what runs in the worker of a web page sees no page' "$(
    grep -rnE '(^|[^a-zA-Z0-9_.])(document|window|localStorage)\.' web/engine web/src/host web/src/store web/src/net 2>/dev/null |
    grep -vE ':[[:space:]]*(\*|//)'
)"

report 'the package does not depend on the page, nor on xterm.js' "$(
    grep -rnE "from '(\.\./)+page/|from '@xterm" web/src web/engine 2>/dev/null
)"

report 'public headers include only public headers' "$(
    includes include | grep -vE ":($system|<rvvm/[a-z0-9_/]+\.h>|\"[a-z0-9_/.]+\.h\")"
)"

report 'no .c file is included' "$(
    includes src include | grep -E '\.c[">]'
)"

report 'only sdl/ includes SDL' "$(
    includes src include | grep -iE 'SDL'
)"

report 'sdl/ sees front ends, what the host lends, the board, and the seam for sound' "$(
    includes sdl | grep '"\.\./' |
    grep -vE '"\.\./src/(frontends/[a-z_]+|host/[a-z_]+|board|util|devices/audio_host)\.h"'
)"

report 'only relay/ includes libwebsockets' "$(
    includes src include sdl | grep -iE 'libwebsockets|lws'
)"

report 'relay/ sees what the host lends and no more of the machine' "$(
    includes relay | grep '"\.\./' | grep -vE '"\.\./src/(host/[a-z_]+|ring|util)\.h"'
)"

# A guest or a host failure below the front ends never ends the process.
report 'nothing below the front ends calls exit, abort or assert' "$(
    find src -name '*.[ch]' ! -path 'src/frontends/*' \
    -exec grep -nHE '(^|[^a-zA-Z0-9_])(exit|_exit|abort|assert)[[:space:]]*\(' {} + |
    grep -vE ':[[:space:]]*(/?\*|//)'
)"

# Only virtq.c may know what a ring looks like.
report 'only virtq touches rings and guest addresses' "$(
    find src/devices -name 'virtio_*.c' ! -name 'virtio_mmio.c' -exec grep -nHE 'rvvm_get_dma_ptr|avail_ring|used_ring|desc_table' {} +
)"

# Mutable globals: static or global objects that are not const, outside functions.
report 'no mutable globals at file scope' "$(
    find src relay -name '*.c' -exec grep -nHE '^(static )?(volatile )?(unsigned |signed )?[a-z_0-9]+_t? \*?[a-z_0-9]+(\[[^]]*\])?( = [^(]*)?;$' {} + |
    grep -vE ':(typedef|extern|return|static const|const)|_INITIALIZER'
)"

report 'every source file names its licence' "$(
    git ls-files | grep -E '\.([ch]|sh|mjs|js|def|config)$|(^|/)Makefile$|^\.ci/run$' | while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MPL-2.0' || echo "$file"
done
)"

report 'no C file has more than 800 lines' "$(
    git ls-files | grep -E '\.[ch]$' | xargs wc -l | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }'
)"

report 'no large file is committed' "$(
    git ls-files | while read -r file; do
    [ -f "$file" ] && [ "$(wc -c <"$file")" -gt 262144 ] && echo "$file"
done
)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
