# What every script of this folder shares: messages, progress, logs, paths.
#
# POSIX sh, to be sourced:  . "$(dirname "$0")/lib.sh"
#
#   say TEXT                    a line for the reader
#   step TEXT                   a line that opens a part of the work
#   note TEXT                   a line on stderr that is no error
#   die SENTENCE                one sentence that says what to do; exit 1
#   run_logged LOG WHAT CMD...  run CMD with its output in build/logs/LOG.log,
#                               show how far it is, on failure the log's end
#   wrap_value KEY              a value of the base's pin
#   free_space DIR MIB WHAT     die unless DIR has that much room
#   set_stamp FILE TEXT         remember TEXT in FILE, at once or not at all
#   is_stamp FILE TEXT          whether FILE says TEXT
#
# Environment: QEMU_SIOV_CACHE (default ${XDG_CACHE_HOME:-~/.cache}/qemu-siov)
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

siov_top=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
while [ ! -f "$siov_top/subprojects/qemu.wrap" ]; do
    siov_top=$(dirname -- "$siov_top")
    [ "$siov_top" != / ] || { echo "error: not in a qemu-siov tree" >&2; exit 1; }
done
siov_scripts=$siov_top/scripts
siov_build=$siov_top/build
siov_logs=$siov_build/logs
siov_base_root=$siov_top/.base
siov_tools=$siov_top/.tools
siov_wrap=$siov_top/subprojects/qemu.wrap
siov_patches=$siov_top/subprojects/packagefiles

# The system's Python: one that comes first in PATH for other reasons may
# lack the modules that Debian's packages bring.
siov_python=/usr/bin/python3

if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME
fi
: "${QEMU_SIOV_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/qemu-siov}"
export QEMU_SIOV_CACHE

say() { printf '%s\n' "$*"; }
step() { printf '== %s\n' "$*"; }
note() { printf 'note: %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

wrap_value() {
    sed -n "s/^$1 *= *//p" "$siov_wrap" | head -n 1
}

set_stamp() {
    printf '%s\n' "$2" > "$1.new" && mv "$1.new" "$1"
}

is_stamp() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

free_space() {
    fs_have=$(df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')
    [ -z "$fs_have" ] || [ "$fs_have" -ge "$2" ] ||
        die "$3 needs $2 MiB below $1 but only $fs_have MiB are free there;" \
            "free some space or move the project to a larger disk."
}

# How far a command is, read off its log, ninja's [n/m], or off the growth of
# the file $progress_file.
progress_of() {
    if [ -f "${progress_file:-}" ]; then
        echo "$(($(wc -c < "$progress_file") / 1048576)) MiB"
        return
    fi
    tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' |
        sed -n 's/^\[\([0-9][0-9]*\)\/\([0-9][0-9]*\)\].*/\1 of \2/p' |
        tail -n 1
}

# Print one progress line: over the last one on a terminal, below otherwise.
progress_show() {
    if [ -t 1 ]; then
        printf '\r\033[K   %s' "$1"
    else
        printf '   %s\n' "$1"
    fi
}

progress_clear() {
    [ ! -t 1 ] || printf '\r\033[K'
}

# $1 seconds as m:ss
clock() {
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# Watch process $1, which writes log $2, until it ends; $3 says what it does.
watch_process() {
    wp_begin=$(date +%s)
    wp_tick=0
    wp_last=
    while kill -0 "$1" 2>/dev/null; do
        # quick at first, so that short steps do not wait for the watcher
        if [ "$wp_tick" -lt 20 ]; then sleep 0.1; else sleep 1; fi
        wp_tick=$((wp_tick + 1))
        [ "$wp_tick" -ge 20 ] || continue
        wp_far=$(progress_of "$2")
        wp_line="$3${wp_far:+: $wp_far}"
        wp_spent=$(($(date +%s) - wp_begin))
        if [ -t 1 ]; then
            progress_show "$wp_line ($(clock $wp_spent))"
        elif [ $((wp_tick % 10)) -eq 0 ] &&
                { [ "$wp_line" != "$wp_last" ] || [ $((wp_tick % 30)) -eq 0 ]; }
        then
            progress_show "$wp_line ($(clock $wp_spent))"
            wp_last=$wp_line
        fi
    done
    progress_clear
}

# The part of a failed command's log that a reader wants to see.
log_tail() {
    if grep -q '^FAILED: ' "$1"; then
        sed -n '/^FAILED: /,$p' "$1" | cut -c 1-300 | head -n 40
    else
        tail -n 25 "$1" | cut -c 1-300
    fi
}

# A sentence for a cause that the log shows and a reader can mend, else none.
log_cause() {
    if grep -qi 'no space left on device' "$1"; then
        echo "the disk is full: free some space below $siov_top and" \
            "${TMPDIR:-/tmp}, then run this again"
    elif grep -qi 'could not resolve\|temporary failure resolving\|network is unreachable\|unable to connect\|could not connect\|connection timed out' "$1"; then
        echo "there is no network: connect this machine, or set apt's proxy," \
            "then run this again"
    elif grep -qi 'out of memory\|killed signal terminated program' "$1"; then
        echo "the machine ran out of memory: give it 2 GiB or more, then run" \
            "this again"
    fi
}

run_logged() {
    rl_log=$siov_logs/$1.log
    rl_what=$2
    shift 2
    mkdir -p "$siov_logs" ||
        die "the folder $siov_logs cannot be made; check its permissions."
    "$@" > "$rl_log" 2>&1 &
    rl_pid=$!
    trap 'kill $rl_pid 2>/dev/null; progress_clear; exit 130' INT TERM HUP
    watch_process $rl_pid "$rl_log" "$rl_what"
    rl_status=0
    wait $rl_pid || rl_status=$?
    trap - INT TERM HUP
    [ $rl_status -ne 0 ] || return 0
    log_tail "$rl_log" >&2
    rl_cause=$(log_cause "$rl_log")
    die "$rl_what failed: ${rl_cause:-the lines above say why, the whole log is ${rl_log#"$siov_top"/}}."
}
