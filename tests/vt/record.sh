#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Records what full-screen programs send, for tests/vt/oracle.sh: tests/vt/record.sh DIR
# Keys are typed with pauses on a terminal of 80x24. Programs that are not there are left out.
out=${1:?usage: tests/vt/record.sh DIR}
mkdir -p "$out"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for i in $(seq 1 200); do
    printf 'line %d\tof a text that is a little wider than most: 世界 é │ %s\n' "$i" "$(printf '%*s' $((i % 60)) '' | tr ' ' x)"
done >text

# record NAME PROGRAM COMMAND KEYS...: each KEYS is typed after a pause.
record() {
    name=$1 program=$2 command=$3
    shift 3
    command -v "$program" >/dev/null 2>&1 || { echo "$program is not there: $name not recorded"; return; }
    { sleep 0.6; for keys; do printf "$keys"; sleep 0.25; done; sleep 0.4; } |
        env -i PATH="$PATH" HOME="$work" TERM=xterm-256color LANG=C.UTF-8 \
            script -qec "stty rows 24 cols 80; $command" typed >/dev/null 2>&1
    # Without script's own first and last lines.
    sed '1{/^Script started/d};${/^Script done/d}' typed >"$out/$name"
    echo "$name: $(wc -c <"$out/$name") bytes"
}

sleep 30 &
record top top "top -d 0.3 -p $!" '' '' h q c z '<' q
kill $!
record less less 'less -S text' ' ' ' ' G g '/50\n' '\033[C' '\033[D' n '&9\n' q
record less-long less 'less -R text' j j k d u '%%50\n' q
record vim vim 'vim -N -u NONE -i NONE -c "set mouse=a ttymouse=sgr hlsearch" text' jjj 5dd p 'ihello 世界\033' '/line\n' n ':set nu\n' ':split\n' '\027j' u ':syntax on\n' ':q!\n' ':q!\n'
record vi-small vi 'vi text' 'ix\033' G 'dd' 'u' ':q!\n'
record dialog dialog 'dialog --menu "A menu 世界" 15 50 5 one first two second three third' '\033[B' '\033[B' '\t' '\n'
record dialog-boxes dialog 'dialog --checklist Check 12 40 4 a A on b B off c C off; dialog --textbox text 20 70; dialog --gauge Done 8 50 40 </dev/null' ' ' '\033[B' ' ' '\n' '\033[B' '\033[6~' '\n'
record mc mc 'mc -d' '\t' '\033[B' '\0331' '\033' '\0330'
