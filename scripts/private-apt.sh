# Packages of any Debian suite without touching this machine's apt.
#
# POSIX sh library, to be sourced.  It keeps an apt state of its own (lists,
# cache, an empty dpkg status) below a cache folder, with the base address of
# the archive this machine already uses, and never installs anything.
#
#   . scripts/private-apt.sh
#   papt_use bookworm bookworm-backports     choose suites; fetch their lists
#   papt_newest 'linux-image-6\.18\..*-amd64'        newest package by pattern
#   papt_fetch DIR NAME[=VERSION]...         download into DIR, verified
#   papt_fetch_file DIR POOL-PATH SHA256     the same for a file that the
#                                            lists no longer name
#   papt_unpack DEB DIR                      dpkg -x with a clear error
#   papt_closure NAME...                     NAME and all it depends on
#
# Environment:
#   QEMU_SIOV_CACHE        cache folder (default ~/.cache/qemu-siov)
#   QEMU_SIOV_ARCHIVE      base address of a Debian archive, instead of the
#                          machine's own
#   QEMU_SIOV_LIST_AGE     hours after which lists are fetched again (24)
#   QEMU_SIOV_UNSIGNED=1   accept lists whose signature cannot be checked
#
# Every function returns non-zero after one sentence on stderr.
#
# SPDX-License-Identifier: GPL-2.0-or-later

: "${QEMU_SIOV_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/qemu-siov}"
papt_root=$QEMU_SIOV_CACHE/apt
papt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

papt_say() {
    printf '%s\n' "$*" >&2
}

papt_fail() {
    papt_say "error: $*"
    return 1
}

# The base address of the archive, as this machine's sources name it.
papt_base() {
    if [ -n "${QEMU_SIOV_ARCHIVE:-}" ]; then
        printf '%s\n' "${QEMU_SIOV_ARCHIVE%/}"
        return
    fi
    papt_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    papt_uri=$(apt-get indextargets --no-release-info \
                   --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
                   'Created-By: Packages' 2>/dev/null |
               awk -v c="$papt_codename" \
                   '$1 == c && $2 == "main" { print $3; exit }')
    if [ -z "$papt_uri" ]; then
        papt_fail "this machine's apt sources name no Debian archive for" \
            "'$papt_codename'; set QEMU_SIOV_ARCHIVE to the base address" \
            "of one."
        return 1
    fi
    printf '%s\n' "${papt_uri%/}"
}

# papt_tool PROGRAM ARGUMENT...: an apt program on the chosen private state
papt_tool() {
    papt_prog=$1
    shift
    LC_ALL=C "$papt_prog" \
        -o Dir::Etc::SourceList="$papt_state/sources.list" \
        -o Dir::Etc::SourceParts=- \
        -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$papt_state/state" \
        -o Dir::State::Lists="$papt_state/lists" \
        -o Dir::State::status="$papt_state/status" \
        -o Dir::Cache="$papt_state/cache" \
        -o Dir::Log="$papt_state" \
        -o APT::Architecture=amd64 \
        -o APT::Architectures::=amd64 \
        -o APT::Sandbox::User= \
        -o APT::Get::List-Cleanup=false \
        -o Acquire::Languages=none \
        -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 \
        -o Acquire::https::Timeout=30 \
        "$@"
}

papt_sources() {
    papt_trust="signed-by=$papt_keyring"
    [ "${QEMU_SIOV_UNSIGNED:-0}" = 1 ] && papt_trust="trusted=yes"
    for papt_suite in $papt_suites; do
        echo "deb [arch=amd64 $papt_trust] $papt_from $papt_suite main"
    done
}

# On a full disk not even the log can be written.
papt_disk_full() {
    papt_free=$(df -Pk "$QEMU_SIOV_CACHE" 2>/dev/null |
                awk 'NR == 2 { print $4 }')
    [ "${papt_free:-9999}" -lt 1024 ] ||
        grep -qi 'no space left\|enough free space' "$1"
}

# Turn apt's output in $1 into one sentence about what $2 was trying to do.
papt_explain() {
    if papt_disk_full "$1"; then
        papt_fail "$2: the disk below $QEMU_SIOV_CACHE is full; free some" \
            "space, or set QEMU_SIOV_CACHE to a folder with more."
    elif grep -q 'NO_PUBKEY\|is not signed\|public key is not avail' "$1"; then
        papt_fail "$2: the signature cannot be checked with the keys in" \
            "$papt_keyring; upgrade the package debian-archive-keyring, or" \
            "accept unsigned lists with QEMU_SIOV_UNSIGNED=1."
    elif grep -q "Unable to locate package\|Couldn't find any package\|no installation candidate\|was not found\|Can't find\|Can't select" \
            "$1"; then
        papt_fail "$2: the archive has no such package in" \
            "$(echo $papt_suites | sed 's/ /, /g');" \
            "if it was replaced lately, remove $papt_state and try again."
    elif grep -qi 'could not resolve\|temporary failure\|could not connect\|unable to connect\|timed out\|network is unreachable\|connection failed\|connection refused' \
            "$1"; then
        papt_fail "$2: the archive cannot be reached; check the network and" \
            "the proxy settings of apt, then try again."
    elif grep -q '404 *Not Found' "$1"; then
        papt_fail "$2: the archive no longer holds a file its lists name;" \
            "remove $papt_state and try again."
    elif grep -q 'Permission denied' "$1"; then
        papt_fail "$2: no permission to write below $QEMU_SIOV_CACHE; make" \
            "it yours, or set QEMU_SIOV_CACHE to another folder."
    else
        tail -n 20 "$1" >&2
        papt_fail "$2: apt failed as shown above."
    fi
    return 1
}

# An old machine may lack the keys of a newer suite.  The keyring package of
# its own suite is kept up to date, and its own keys verify that one.
papt_newer_keyring() {
    papt_new=$papt_root/keyring
    papt_own=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    if [ ! -s "$papt_new/usr$papt_keyring_rel" ]; then
        (
            papt_use "$papt_own" &&
            papt_fetch "$papt_new" debian-archive-keyring &&
            papt_unpack "$papt_new"/debian-archive-keyring_*.deb "$papt_new"
        ) || return 1
    fi
    papt_keyring=$papt_new/usr$papt_keyring_rel
}
papt_keyring_rel=/share/keyrings/debian-archive-keyring.gpg

papt_update() {
    papt_sources > "$papt_state/sources.list" || return 1
    papt_tool apt-get update > "$papt_state/update.log" 2>&1 &&
        ! grep -q '^[EW]: .*\(Failed to fetch\|GPG error\|NO_PUBKEY\)' \
            "$papt_state/update.log"
}

# papt_use SUITE...: the suites that the following calls look at
papt_use() {
    papt_suites=$*
    papt_state=$papt_root/$(echo "$*" | tr ' ' +)
    papt_from=$(papt_base) || return 1
    if ! mkdir -p "$papt_state/lists/partial" "$papt_state/state" \
            "$papt_state/cache/archives/partial" 2>/dev/null; then
        papt_fail "the cache folder $papt_state cannot be made; check its" \
            "permissions and the disk's free space, or set QEMU_SIOV_CACHE."
        return 1
    fi
    [ -e "$papt_state/status" ] || : > "$papt_state/status" || return 1
    if [ -e "$papt_state/updated" ] &&
            [ -z "$(find "$papt_state/updated" \
                        -mmin "+$((${QEMU_SIOV_LIST_AGE:-24} * 60))")" ]; then
        return 0
    fi
    papt_say "Fetching the package lists of $(echo $* | sed 's/ /, /g')"
    if ! papt_update; then
        if grep -q NO_PUBKEY "$papt_state/update.log" &&
                [ "$papt_keyring" = "/usr$papt_keyring_rel" ] &&
                papt_newer_keyring && papt_update; then
            :
        elif [ -e "$papt_state/updated" ]; then
            papt_say "note: the lists could not be fetched again; going on" \
                "with those of $(date -r "$papt_state/updated" +%F)"
            return 0
        else
            papt_explain "$papt_state/update.log" "fetching package lists"
            return 1
        fi
    fi
    : > "$papt_state/updated"
}

# papt_newest REGEX: the package with the highest version whose whole name
# matches the (awk) regular expression
papt_newest() {
    papt_tool apt-cache dumpavail |
        awk -v re="^($1)\$" '
            $1 == "Package:" { name = $2 }
            $1 == "Version:" && name ~ re { print $2, name }' |
        papt_max
}

# Stdin: "VERSION NAME" lines.  Prints the name with the highest version.
papt_max() {
    papt_top=
    papt_top_name=
    while read -r papt_v papt_n; do
        if [ -z "$papt_top" ] ||
                dpkg --compare-versions "$papt_v" gt "$papt_top"; then
            papt_top=$papt_v
            papt_top_name=$papt_n
        fi
    done
    [ -n "$papt_top_name" ] && printf '%s\n' "$papt_top_name"
}

# Say every few seconds how much has arrived in folder $1 while this shell's
# download runs; end with "kill $papt_meter".
papt_meter_start() {
    (
        papt_had=$(du -sk "$1" | cut -f1)
        papt_ticks=0
        while sleep 1 && kill -0 $$ 2> /dev/null; do
            papt_ticks=$((papt_ticks + 1))
            [ $((papt_ticks % 5)) -eq 0 ] || continue
            papt_say "  $((($(du -sk "$1" | cut -f1) - papt_had) / 1024))" \
                "MiB so far"
        done
    ) &
    papt_meter=$!
}

papt_meter_stop() {
    kill "$papt_meter" 2> /dev/null || :
    wait "$papt_meter" 2> /dev/null || :
}

# papt_fetch DIR NAME[=VERSION]...: download packages, checksums verified
papt_fetch() {
    papt_dir=$1
    shift
    if ! mkdir -p "$papt_dir"; then
        papt_fail "the folder $papt_dir cannot be made."
        return 1
    fi
    papt_log=$papt_state/fetch.log
    papt_meter_start "$papt_dir"
    papt_status=0
    (cd "$papt_dir" && papt_tool apt-get download "$@") \
        > "$papt_log" 2>&1 || papt_status=1
    papt_meter_stop
    if [ "$papt_status" -ne 0 ]; then
        papt_explain "$papt_log" "downloading $*"
        return 1
    fi
}

# papt_fetch_file DIR POOL-PATH SHA256: an archive keeps many files that its
# lists no longer name; they are fetched by their path and pinned checksum
papt_fetch_file() {
    papt_dest=$1/${2##*/}
    if ! mkdir -p "$1"; then
        papt_fail "the folder $1 cannot be made."
        return 1
    fi
    papt_log=$papt_state/fetch.log
    papt_meter_start "$1"
    papt_status=0
    papt_tool /usr/lib/apt/apt-helper download-file \
        "$papt_from/$2" "$papt_dest.part" "SHA256:$3" \
        > "$papt_log" 2>&1 || papt_status=1
    papt_meter_stop
    if [ "$papt_status" -ne 0 ]; then
        rm -f "$papt_dest.part" "$papt_dest.part.FAILED"
        papt_explain "$papt_log" "downloading ${2##*/}"
        return 1
    fi
    mv "$papt_dest.part" "$papt_dest"
}

# papt_unpack DEB DIR: the files of a package, nothing run
papt_unpack() {
    mkdir -p "$2" || return 1
    if ! dpkg-deb -x "$1" "$2" 2> "$papt_root/unpack.log"; then
        papt_explain "$papt_root/unpack.log" "unpacking ${1##*/}"
        return 1
    fi
}

# papt_closure NAME...: these packages and everything they depend on, as
# apt would install them on an empty machine
papt_closure() {
    papt_log=$papt_state/closure.log
    if ! papt_tool apt-get install --simulate --no-install-recommends "$@" \
            > "$papt_state/closure" 2> "$papt_log"; then
        cat "$papt_state/closure" >> "$papt_log"
        papt_explain "$papt_log" "resolving $*"
        return 1
    fi
    awk '$1 == "Inst" { v = $3; sub(/^\(/, "", v); print $2 "=" v }' \
        "$papt_state/closure"
}
