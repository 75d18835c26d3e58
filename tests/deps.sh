#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What fetches things (tools/deps.sh, web/build.sh) with stand-ins for apt-get, sudo and npm: what is asked of them,
# what is put right after a run that was stopped, and one clear line when they cannot. Needs no network, installs nothing.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
bin=$tests_dir/bin said=$tests_dir/said called=$tests_dir/called
mkdir "$bin"

# Programs of the system, and nothing else: what a machine has is what is stood in for here.
for tool in sh env sed cat grep cmp cp rm mkdir; do
    ln -s "$(command -v $tool)" "$bin/$tool"
done

# answers NAME: a program that does what its standard input says. stand_in NAME: and notes how it was called.
answers() {
    { echo '#!/bin/sh'; cat; } >"$bin/$1"
    chmod +x "$bin/$1"
}
stand_in() {
    { echo "echo \"$1 \$*\" >>'$called'"; cat; } | answers "$1"
}

# deps ARGUMENT...: runs tools/deps.sh with the stand-ins; its status is in $status.
deps() {
    : >"$called"
    status=0
    env -i PATH="$bin" tools/deps.sh "$@" >"$said" 2>&1 || status=$?
}

# was_called LINE...: these calls and no others.
was_called() {
    sed -e 's/ DEBIAN_FRONTEND=noninteractive//' -e 's/ -y --no-install-recommends -o [^ ]* -o [^ ]*//' \
        -e '/^dpkg --audit$/d' "$called" >"$tests_dir/calls"
    printf '%s\n' "$@" | cmp -s - "$tests_dir/calls" || { sed 's/^/# /' "$tests_dir/calls" && false; }
}

ends_with_line() { # status text: that exit status, and the last line says so
    [ "$status" -eq "$1" ] && sed -n '$p' "$said" | grep -q -- "$2" || { sed 's/^/# /' "$said" && false; }
}

echo 0 >"$tests_dir/uid"
answers id <<END
cat '$tests_dir/uid'
END
answers dpkg-query <<END
for package; do
    case \$package in libslirp-dev | -* | '$'*) ;; *) echo "installed \$package" ;; esac
done
END
stand_in dpkg </dev/null
answers ls </dev/null
answers true </dev/null
answers apt-cache </dev/null
stand_in apt-get </dev/null

deps -n build
check "-n says what is missing" ends_with_line 1 'missing: libslirp-dev'
check "and installs nothing" test ! -s "$called"
deps build
check "what is missing is installed" was_called 'apt-get install libslirp-dev'
deps build web
check "Node counts by its commands" was_called 'apt-get install libslirp-dev nodejs npm'
deps nothing
check "an unknown group is refused" ends_with_line 1 'no such group: nothing'

answers apt-cache <<END
exit 100
END
deps build
check "empty lists are read first" was_called 'apt-get update' 'apt-get install libslirp-dev'
stand_in apt-get <<END
exit 100
END
deps build
check "no network: one line that says so" ends_with_line 1 'apt-get update failed; is there a network?'
answers apt-cache </dev/null
stand_in apt-get <<END
[ "\$1" = update ] || grep -q 'apt-get update' '$called'
END
deps build
check "old lists are read anew" was_called 'apt-get install libslirp-dev' 'apt-get update' 'apt-get install libslirp-dev'

stand_in dpkg <<END
[ "\$1" != --audit ] || echo 'The following packages are only half configured'
END
stand_in apt-get </dev/null
deps build
check "an installation that was stopped is finished first" was_called 'dpkg --configure -a' 'apt-get install -f' \
    'apt-get install libslirp-dev'
stand_in dpkg </dev/null
answers ls <<'END'
echo 0001
END
deps build
check "and dpkg's own journal" was_called 'dpkg --configure -a' 'apt-get install -f' 'apt-get install libslirp-dev'
answers ls </dev/null

echo 1000 >"$tests_dir/uid"
deps build
check "neither root nor sudo: one line" ends_with_line 1 'run this as root, or install sudo; missing: libslirp-dev'
stand_in sudo <<'END'
exec "$@"
END
deps build
check "a user installs with sudo" was_called 'sudo env true' 'sudo env apt-get install libslirp-dev' 'apt-get install libslirp-dev'
stand_in sudo <<'END'
exit 1
END
deps build
check "sudo that refuses is asked once" was_called 'sudo env true'
check "and there is one line" ends_with_line 1 'sudo lets this user install nothing; missing: libslirp-dev'
answers dpkg-query <<'END'
for package; do echo "installed $package"; done
END
deps build
check "nothing missing: nothing is asked of anyone" test "$status" -eq 0 -a ! -s "$said" -a ! -s "$called"
rm "$bin/apt-get"
deps build
check "another system: one line" ends_with_line 1 'this is not Debian'

# page: runs web/build.sh in a copy, as far as it comes without the real packages.
mkdir "$tests_dir/web" "$tests_dir/engine"
cp -R web/build.sh web/package.json web/package-lock.json web/page web/src "$tests_dir/web/"
touch "$tests_dir/engine/rvkit.js" "$tests_dir/engine/rvkit.wasm"
page() {
    : >"$called"
    status=0
    ENGINE="$tests_dir/engine" PATH="$bin:$PATH" "$tests_dir/web/build.sh" >"$said" 2>&1 || status=$?
}
fetched() { test "$(grep -c '^npm ci ' "$called")" -eq "$1"; }
stand_in npm <<'END'
mkdir -p node_modules
exit 1
END
page
check "npm that cannot fetch: one line" ends_with_line 1 'npm could not fetch what the page is made of; is there a network?'
stand_in npm <<'END'
cd node_modules && mkdir -p @xterm/xterm/css && touch @xterm/xterm/css/xterm.css @xterm/xterm/LICENSE
for name in xterm addon-fit addon-search addon-unicode-graphemes addon-web-links addon-webgl; do
    mkdir -p @xterm/$name/lib && echo 0 >@xterm/$name/lib/$name.mjs
done
END
answers node </dev/null
dist=$tests_dir/web/dist
made() { test "$status" -eq 0 -a ! -e "$dist/old" -a -s "$dist/index.html" && : >"$dist/old"; }
page
check "what npm left half-done is fetched anew" fetched 1
check "the page is made" made
page
check "npm is asked once" fetched 0
check "a page of the same parts stays" test "$status" -eq 0 -a -e "$dist/old"
echo >>"$tests_dir/web/src/index.js"
page
check "of another part it is made anew" made
echo >>"$tests_dir/engine/rvkit.wasm"
page
check "of another engine too" made
echo >>"$tests_dir/web/package-lock.json"
page
check "another list of packages: they are fetched" fetched 1
check "and the page is made anew" made
stand_in npm <<END
echo "\${npm_config_cache-}" >'$tests_dir/npm-cache'
[ -d "\${npm_config_cache-}" ]
END
rm "$tests_dir/web/node_modules/.rvkit-lock"
HOME=$tests_dir/nobody page
check "a home that cannot be written: npm has a folder of its own" test "$status" -eq 0
check "for as long as it runs" test -n "$(cat "$tests_dir/npm-cache")" -a ! -e "$(cat "$tests_dir/npm-cache")"

finish
