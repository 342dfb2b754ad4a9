#!/bin/sh
# Assemble the base in .base/: unpack it, apply the hook series, mount the
# overlay. Does nothing if nothing changed. If only patches changed, writes
# only files whose contents change, so that ninja rebuilds only what it must.
#
#   .base/qemu-VERSION/   the patched source; siov in it links to the project
#   .base/pristine/       the files that the series touches, as released
#   .base/series          the files that the series touches
#   .base/sums            their checksums as patched
#   .base/saved/          hand-edited files that a new series has replaced
#   .base/origin, stamp   what the source and the series were
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

directory=$(wrap_value directory)
version=${directory#qemu-}
tree=$siov_base_root/$directory
pristine=$siov_base_root/pristine
stage=$siov_base_root/stage
mkdir -p "$siov_base_root" 2> /dev/null ||
    die "the folder $siov_base_root cannot be made: clone the project to a" \
        "place that is yours."

# The names in diff_files, which may run over several lines
series=$(awk '/^diff_files *=/ { on = 1; sub(/^[^=]*=/, ""); print; next }
              on && /^[ \t]+[^ \t#]/ { print; next }
              { on = 0 }' "$siov_wrap" | tr ',' '\n' |
         sed 's/^[ \t]*//; s/[ \t]*$//; /^$/d')
for name in $series; do
    [ -f "$siov_patches/$name" ] ||
        die "subprojects/qemu.wrap names the patch $name, which is not in" \
            "subprojects/packagefiles: add the file or remove its name."
done

# --- what is wanted, what is there ------------------------------------------

pin="pin $(wrap_value source_hash)"
case ${QEMU_SRC:+$(test -d "$QEMU_SRC" && echo tree)} in
tree)
    user="tree $(cd "$QEMU_SRC" && pwd) $(cat "$QEMU_SRC/VERSION" 2> /dev/null \
        || true) $(git -C "$QEMU_SRC" rev-parse HEAD 2> /dev/null || true)" ;;
*)
    user=
    [ ! -f "${QEMU_SRC:-}" ] ||
        user="archive $(sha256sum < "$QEMU_SRC" | cut -d' ' -f1)" ;;
esac
[ -z "${QEMU_SRC:-}" ] || [ -n "$user" ] || "$siov_scripts/base-fetch.sh"

origin="$pin${user:+ user $user}"
have=$(cat "$siov_base_root/origin" 2> /dev/null || true)
stamp="$origin $(cd "$siov_patches" && cat $series /dev/null | sha256sum)"

# Without QEMU_SRC, the base that an earlier QEMU_SRC gave stays in use.
if [ -z "$user" ] && [ -f "$siov_base_root/stamp" ] &&
        [ "${have#"$pin user "}" != "$have" ]; then
    stamp="$have${stamp#"$origin"}"
    origin=$have
fi

link_overlay() {
    [ "$(readlink "$tree/siov" 2> /dev/null)" = "$siov_top" ] ||
        { rm -f "$tree/siov" && ln -s "$siov_top" "$tree/siov"; }
}

if [ -d "$tree" ] && is_stamp "$siov_base_root/stamp" "$stamp"; then
    link_overlay
    exit 0
fi

# --- the source -------------------------------------------------------------

# copy_tree FROM TO: without what only a build or git left there. Here as with
# an archive, files get today's date: another release's old dates would make
# ninja believe that nothing changed.
copy_tree() {
    (cd "$1" && tar cf - --exclude=./.git --exclude='./build*' \
        --exclude=./roms --exclude=./siov .) | tar xmf - -C "$2"
}

unpack() {
    new=$siov_base_root/unpack
    rm -rf "$new"
    free_space "$siov_base_root" 2500 "building QEMU"
    "$siov_scripts/base-fetch.sh"
    { read -r kind && read -r path; } < "$siov_base_root/source"
    mkdir -p "$new"
    step "Assembling the base from ${path##*/}"
    if [ "$kind" = tree ]; then
        check_tree "$path" "$path"
        mkdir "$new/tree"
        run_logged base-unpack "copying the source" copy_tree "$path" "$new/tree"
    else
        (run_logged base-unpack "unpacking" \
            tar xmf "$path" -C "$new" --exclude='*/roms/*') 2> /dev/null || {
            cause=$(log_cause "$siov_logs/base-unpack.log")
            die "'$path' cannot be unpacked:" \
                "${cause:-it must be a tar archive of the source of QEMU}" \
                "(see build/logs/base-unpack.log)."
        }
    fi
    set -- "$new"/*
    [ $# -eq 1 ] && [ -d "$1" ] || set -- "$new"
    check_tree "$1" "$path"
    if [ "$kind" = release ] && [ "$("$siov_scripts/base-fetch.sh" \
            --code-hash "$1")" != "$(wrap_value code_hash)" ]; then
        rm -f "$path"
        die "the archive from upstream's release site is not the pinned" \
            "QEMU $version: name a source you trust with QEMU_SRC=PATH."
    fi
    rm -rf "$tree" "$pristine" "$siov_base_root/stamp" \
        "$siov_base_root/origin" "$siov_base_root/series" \
        "$siov_base_root/sums"
    mv "$1" "$tree"
    rm -rf "$new"
    set_stamp "$siov_base_root/origin" "$origin"
}

# check_tree DIR NAME: is it a QEMU of the release line of the pin?
check_tree() {
    if [ ! -f "$1/VERSION" ] || [ ! -f "$1/meson_options.txt" ] ||
            [ ! -d "$1/hw/i386" ]; then
        die "'$2' is not the source of QEMU: name a source tree or archive" \
            "of QEMU ${version%.*}.x with QEMU_SRC=PATH."
    fi
    found_version=$(cat "$1/VERSION")
    case $found_version in
    "${version%.*}".*) ;;
    *) die "'$2' is QEMU $found_version but the hook series needs" \
           "${version%.*}.x: name such a source with QEMU_SRC=PATH." ;;
    esac
    [ -e "$1/subprojects/keycodemapdb/meson.build" ] ||
        die "'$2' is a git checkout without its subprojects: run 'meson" \
            "subprojects download' in it, or name a release archive."
}

[ -d "$tree" ] && [ "$have" = "$origin" ] || unpack

# --- the series -------------------------------------------------------------

# The files that a list of patches touches
touched() {
    for name in "$@"; do
        sed -n 's/^\(---\|+++\) [ab]\/\([^[:space:]]*\).*/\2/p' "$siov_patches/$name"
    done | sort -u
}

old_files=$(cat "$siov_base_root/series" 2> /dev/null || true)
new_files=$(touched $series)
files=$(printf '%s\n' $old_files $new_files | sort -u)

step "Applying the hook series: $(echo "$series" | wc -l) patches," \
    "$(echo "$new_files" | wc -l) files"

# What somebody edited in place and no patch holds is kept aside.
if [ -f "$siov_base_root/sums" ]; then
    (cd "$tree" && sha256sum -c --quiet "$siov_base_root/sums" 2> /dev/null) |
        sed -n 's/: FAILED.*//p' > "$siov_base_root/edited"
fi

# The released state of every touched file, then the patches on a copy of it
rm -rf "$stage"
for file in $files; do
    if [ ! -e "$pristine/$file" ] && [ -e "$tree/$file" ] &&
            ! echo "$old_files" | grep -qxF "$file"; then
        mkdir -p "$pristine/$(dirname "$file")"
        cp -p "$tree/$file" "$pristine/$file.new"
        mv "$pristine/$file.new" "$pristine/$file"
    fi
    mkdir -p "$stage/$(dirname "$file")"
    [ ! -e "$pristine/$file" ] || cp -p "$pristine/$file" "$stage/$file"
done
for name in $series; do
    (cd "$stage" && patch -p1 --no-backup-if-mismatch -N) \
            < "$siov_patches/$name" > "$siov_base_root/patch.log" 2>&1 || {
        cat "$siov_base_root/patch.log" >&2
        die "the patch ${name##*/} does not apply to $(cat "$tree/VERSION")" \
            "of ${directory}: mend the patch, or give QEMU_SRC= an" \
            "unchanged release of QEMU ${version%.*}.x."
    }
done

# From here on the tree changes; an interrupted run starts over from pristine.
rm -f "$siov_base_root/stamp" "$siov_base_root/sums"
printf '%s\n' $files > "$siov_base_root/series"
for file in $files; do
    if [ ! -e "$stage/$file" ]; then
        rm -f "$tree/$file"
    elif ! cmp -s "$stage/$file" "$tree/$file"; then
        if grep -qxF "$file" "$siov_base_root/edited" 2> /dev/null; then
            mkdir -p "$siov_base_root/saved/$(dirname "$file")"
            cp -p "$tree/$file" "$siov_base_root/saved/$file"
            note "$file had edits that no patch holds: kept as" \
                ".base/saved/$file"
        fi
        mkdir -p "$tree/$(dirname "$file")"
        cp "$stage/$file" "$tree/$file.new"
        mv "$tree/$file.new" "$tree/$file"
    fi
done
rm -f "$siov_base_root/edited"
(cd "$tree" && for file in $new_files; do sha256sum "$file"; done) \
    > "$siov_base_root/sums"
printf '%s\n' $new_files > "$siov_base_root/series"
rm -rf "$stage"
link_overlay
set_stamp "$siov_base_root/stamp" "$stamp"
