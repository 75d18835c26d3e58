# SPDX-License-Identifier: MPL-2.0
# Shared by build.sh and the recipes (POSIX sh).

say() {
    echo "rvkit guest: $1" >&2
}

die() { # message [status]
    say "$1"
    exit "${2:-1}"
}

# In a recipe: what is being done now, and how many lines such as "  CC file.o" the log will gain, if known.
phase() {
    echo "${2:-0} $(wc -l <"$log") $1" >"$work/phase"
    echo "== $1"
}

# How many MB are free where $1 lies.
free_mb() {
    df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'
}

check_space() { # directory MB name
    free=$(free_mb "$1")
    [ "$free" -ge "$2" ] || die "building $3 takes $2 MB in $1, and $free MB are free there; make room, or set RVKIT_CACHE"
}

show_elapsed() {
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# One line of progress, from what the recipe last said.
show_progress() { # name log start
    total=0 from=0 doing=starting
    read -r total from doing 2>/dev/null <"$work/phase" || :
    line="$1: $doing"
    if [ "$total" -gt 0 ]; then
        done=$(tail -n +"$((from + 1))" "$2" | grep -c '^ [ ]*[A-Z][A-Z]') || :
        percent=$((done * 100 / total))
        [ $percent -lt 100 ] || percent=99
        line="$line $percent %"
    fi
    now=$(date +%s)
    elapsed=$((now - $3))
    if [ -t 2 ]; then
        printf '\r\033[Krvkit guest: %s  %s' "$line" "$(show_elapsed $elapsed)" >&2
    elif [ "$doing" = starting ]; then
        :
    elif [ "$doing" != "$last_doing" ] || [ "$now" -ge "$((last_time + 20))" ]; then
        say "$line  $(show_elapsed $elapsed)"
        last_doing=$doing last_time=$now
    fi
}

stop_recipe() {
    trap - INT TERM HUP
    kill -s TERM -- "-$recipe" 2>/dev/null || :
    wait "$recipe" 2>/dev/null || :
    while kill -s KILL -- "-$recipe" 2>/dev/null; do sleep 0.1; done
    rm -rf "$work"
    [ ! -t 2 ] || echo >&2
    die "stopped; nothing half-built was kept" 130
}

# Runs a recipe in a process group of its own, its output in a log, and shows how far it is.
watch_recipe() { # name recipe log work
    export log="$3"
    : >"$3" || die "cannot write $3"
    start=$(date +%s) last_time=0 last_doing=
    trap stop_recipe INT TERM HUP
    setsid sh "$2" >"$3" 2>&1 </dev/null 9>&- &
    recipe=$!
    while kill -0 "$recipe" 2>/dev/null; do
        show_progress "$1" "$3" "$start"
        sleep 0.3
    done
    status=0
    wait "$recipe" || status=$?
    trap - INT TERM HUP
    took=$(show_elapsed $(($(date +%s) - start)))
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ $status -eq 0 ]; then
        grep '^note: ' "$3" | sed 's/^note: /rvkit guest: /' >&2 || :
        say "$1: done in $took"
        return
    fi
    free=$(free_mb "$cache")
    rm -rf "$4"
    if grep -q 'No space left on device' "$3" || [ "$free" -lt 2 ]; then
        die "$1: the disk that holds $cache is full; make room, or set RVKIT_CACHE to another place"
    fi
    if tail -n 1 "$3" | grep -q '^error: '; then
        die "$1: $(tail -n 1 "$3" | sed 's/^error: //') (log: $3)"
    fi
    say "$1: failed after $took; the end of $3:"
    tail -n 12 "$3" | sed 's/^/    /' >&2
    exit 1
}

# In a recipe: end with one line for the person.
fail() {
    echo "error: $1"
    exit 1
}

need() { # commands
    for tool; do
        command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed; run tools/deps.sh guest"
    done
}
