#!/bin/sh
# Configure the base, with the overlay mounted in it, in build/.
#
# Does nothing if the last configuration still stands; ninja itself notices
# changes of the build rules. Debian 12's meson is too old: a newer one and its
# helper pycotap then come from the release's backports into .tools/, without
# touching the machine's package sources or installing anything.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"
. "$siov_scripts/private-apt.sh"

tree=$siov_base_root/$(wrap_value directory)
firmware=/usr/share/seabios:/usr/share/qemu:/usr/lib/ipxe/qemu

# --- meson and pycotap, in the versions that the base's pythondeps.toml takes

# have_modules DIR: with DIR first in the module path ('' for none)
have_modules() {
    env PYTHONPATH="$1" $siov_python - 2> /dev/null <<'PYTHON'
import importlib.metadata
for name, least in (('meson', (1, 5)), ('pycotap', (1, 1))):
    version = importlib.metadata.version(name).split('.')
    assert tuple(int(n) for n in version[:2]) >= least
PYTHON
}

get_modules() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    step "Getting meson and pycotap from $codename-backports (into .tools/)"
    rm -rf "$siov_tools.new"
    papt_use "$codename-backports" &&
        papt_fetch "$siov_tools.new" meson python3-pycotap ||
        die "meson 1.5 or later is needed and could not be had: see above, or" \
            "install meson and pycotap for $siov_python yourself."
    for deb in "$siov_tools.new"/*.deb; do
        papt_unpack "$deb" "$siov_tools.new" || exit 1
        rm "$deb"
    done
    rm -rf "$siov_tools"
    mv "$siov_tools.new" "$siov_tools"
}

modules=$siov_tools/usr/lib/python3/dist-packages
configure_stamp() {
    echo "$tree $firmware $*"
    sed -n '/^\[wrap-file\]/,/^diff_files/p' "$siov_wrap" | grep source_hash
    cat "$tree/VERSION"
    cat "$tree/configure" "$tree/pythondeps.toml" "$0" | sha256sum
    readlink -f $siov_python
    command -v ccache || true
    [ ! -d "$modules" ] || echo "$modules"
}

stamp=$(configure_stamp "$@")
if [ -f "$siov_build/build.ninja" ] &&
        is_stamp "$siov_build/siov-configured" "$stamp"; then
    exit 0
fi

if have_modules ''; then
    modules=
elif ! have_modules "$modules"; then
    get_modules
    have_modules "$modules" ||
        die "the meson unpacked in .tools/ does not run under $siov_python:" \
            "remove .tools/ and try again, or install meson 1.5 yourself."
fi

# --- configure ---------------------------------------------------------------

compiler=${CC:-gcc}
if command -v ccache > /dev/null; then
    compiler="ccache $compiler"
fi

# A build folder of another source tree is of no use.
if [ -f "$siov_build/config.status" ] &&
        ! grep -qF "$tree/configure" "$siov_build/config.status"; then
    find "$siov_build" -mindepth 1 -maxdepth 1 ! -name logs \
        -exec rm -rf {} +
fi

configure() {
    cd "$siov_build"
    if [ -n "$modules" ]; then
        PYTHONPATH=$modules
        export PYTHONPATH
    else
        unset PYTHONPATH
    fi
    exec "$tree/configure" --cc="$compiler" --python=$siov_python \
        --target-list=x86_64-softmmu --without-default-features \
        --enable-system --enable-tcg --enable-kvm --enable-fdt=system \
        --enable-slirp --disable-docs --disable-install-blobs \
        --disable-werror --disable-download --firmwarepath="$firmware" "$@"
}

step "Configuring the build"
rm -f "$siov_build/siov-configured"
mkdir -p "$siov_build" 2> /dev/null ||
    die "the folder $siov_build cannot be made: clone the project to a place" \
        "that is yours."
run_logged configure "configuring" configure "$@"

# Ninja runs meson again when a build rule changes, then without our
# environment: tell the build's own Python where the modules are.
if [ -n "$modules" ]; then
    for site in "$siov_build"/pyvenv/lib/python3*/site-packages; do
        echo "$modules" > "$site/siov-tools.pth"
    done
fi

# An emulator run in its build folder looks for data below qemu-bundle/ only.
echo "$firmware" | tr ':' '\n' | while read -r dir; do
    mkdir -p "$siov_build/qemu-bundle${dir%/*}"
    ln -sfn "$dir" "$siov_build/qemu-bundle$dir"
done
set_stamp "$siov_build/siov-configured" "$(configure_stamp "$@")"
