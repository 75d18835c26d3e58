#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# `make install` into a folder of its own; then a program is built against what is there, and run.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
root=$tests_dir/root prefix=/opt/rvkit

check "make install" make -s install PREFIX=$prefix DESTDIR="$root"
at=$root$prefix
check "the installed program runs" "$at/bin/rvkit" -version
for file in lib/librvkit.a lib/librvkit.so lib/pkgconfig/rvkit.pc share/man/man1/rvkit.1 include/rvvm/rvvm.h; do
    check "$file is there" test -s "$at/$file"
done
if pkg-config --exists sdl2 SDL2_ttf fontconfig libpng x11 2>/dev/null; then
    check "the window is installed" "$at/bin/rvkit-sdl" -version
    for file in share/applications/rvkit.desktop share/icons/hicolor/scalable/apps/rvkit.svg; do
        check "$file is there" test -s "$at/$file"
    done
fi
if pkg-config --exists libwebsockets 2>/dev/null; then
    check "the relay is installed" "$at/bin/rvkit-relay" -version
    check "share/man/man1/rvkit-relay.1 is there" test -s "$at/share/man/man1/rvkit-relay.1"
fi
check "nothing is written outside the prefix" test "$(cd "$root" && find . -type f ! -path ".$prefix/*" | wc -l)" -eq 0
check "no file names the build's folders" sh -c "! grep -rqF '$root' '$at/lib/pkgconfig' '$at/include'"

cat >"$tests_dir/use.c" <<'END'
#include <rvvm/rvvm.h>
#include <stdio.h>
int main(void)
{
    rvvm_machine_t *machine = rvvm_create_machine(16 << 20, 1, NULL);
    unsigned char byte = 42, back = 0;
    bool good = machine && rvvm_write_ram(machine, 0x80000000, &byte, 1) &&
                rvvm_read_ram(machine, &back, 0x80000000, 1) && back == 42;
    rvvm_free_machine(machine);
    return good ? 0 : 1;
}
END
# The flags of rvkit.pc, read without pkg-config: it need not be installed.
cflags=$(sed -n 's/^Cflags: //p' "$at/lib/pkgconfig/rvkit.pc" | sed "s,\${includedir},$at/include,")
libs=$(sed -n 's/^Libs: //p' "$at/lib/pkgconfig/rvkit.pc" | sed "s,\${libdir},$at/lib,")
private=$(sed -n 's/^Libs.private: //p' "$at/lib/pkgconfig/rvkit.pc")
cc=${CC:-gcc}
# shellcheck disable=SC2086
check "a program builds against the shared library" $cc -Wall -Wextra -Werror $cflags "$tests_dir/use.c" -o "$tests_dir/use" $libs
check "and runs" env LD_LIBRARY_PATH="$at/lib" "$tests_dir/use"
# shellcheck disable=SC2086
check "a program builds against the static library" $cc $cflags "$tests_dir/use.c" -o "$tests_dir/use-a" "$at/lib/librvkit.a" $private
check "and runs alone" "$tests_dir/use-a"
check "every public header compiles alone" sh -c "
    cd '$at/include' && find rvvm -name '*.h' ! -path '*/abi7/*' | while read -r header; do
        printf '#include <%s>\n' \"\$header\" | $cc -std=c11 -Wall -Wextra -Werror -fsyntax-only $cflags -x c - || exit 1
    done"
nm -D --defined-only "$at/lib/librvkit.so" | awk '{ print $3 }' |
    grep -vE '^(rvvm|rvkit|plic|fdt|chardev|spin|safe|hid|gui|fb|tap|blk|virtio|virtq)_' >"$tests_dir/private"
check "the shared library exports only public names" test ! -s "$tests_dir/private"
finish
