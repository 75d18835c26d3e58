# SPDX-License-Identifier: MPL-2.0
# For tests of windows under Xvfb, after tests/lib.sh: an X server of our own, typing, pictures.
# PICTURES=DIR keeps pictures there.
# shellcheck shell=sh
x=
# SDL draws without a GPU.
export SDL_RENDER_DRIVER=software

# start_x SIZE: on a number that is free; its process is $x.
start_x() {
    rm -f "$tests_dir/number"
    Xvfb -displayfd 3 -screen 0 "$1x24" -nolisten tcp 3>"$tests_dir/number" >/dev/null 2>&1 &
    x=$!
    wait_for 20 test -s "$tests_dir/number" || { fail "Xvfb starts"; finish; }
    DISPLAY=:$(cat "$tests_dir/number")
    export DISPLAY
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

line() { xdotool type --delay 12 "$1" && xdotool key Return; }
differ() { ! cmp -s "$tests_dir/$1.png" "$tests_dir/$2.png"; }

# shot_of WINDOW NAME: a picture.
shot_of() {
    import -window "$1" "$tests_dir/$2.png" && { [ -z "${PICTURES-}" ] || cp "$tests_dir/$2.png" "$PICTURES/"; }
}
