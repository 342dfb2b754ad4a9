# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processor features as the kernel reports them. siov.lacking=NAME,... says
# what this boot has been told to do without.

lacking=$(setting lacking)

lacks() {
    case ,$lacking, in
    *,"$1",*) return 0 ;;
    esac
    return 1
}

# has_flag FLAG CONDITION...: FLAG in /proc/cpuinfo of every processor unless
# the boot lacks one of the CONDITIONs
has_flag() {
    flag=$1
    shift
    expected=$(nproc)
    for condition do
        ! lacks "$condition" || expected=0
    done
    is "processors with $flag" \
        "$(grep -c "^flags.* $flag\( \|\$\)" /proc/cpuinfo)" "$expected"
}

# component BIT CONDITION...: in the state components that the kernel uses
component() {
    bit=$1
    shift
    expected=1
    for condition do
        ! lacks "$condition" || expected=0
    done
    is "state component $bit is in use" $((features >> bit & 1)) "$expected"
}

# Linux 6.1 with "nopku" has no protection keys, but still saves their state
protection_keys() {
    case " $(cat /proc/cmdline) "/$(uname -r) in
    *" nopku "*/6.1.*) ;;
    *) echo pku ;;
    esac
}

cpu_features() {
    has_flag enqcmd xsaves
    has_flag xsaves xsaves
    has_flag xsavec xsavec
    has_flag movdir64b
    has_flag movdiri
    has_flag waitpkg
    has_flag avx avx
    has_flag ospke pku

    format=compacted
    ! lacks xsavec || format=standard
    is "the format of saved state" "$(dmesg |
        sed -n "s/.*Enabled xstate features .* using '\(.*\)' format.*/\1/p")" \
        "$format"
    features=$(dmesg |
        sed -n 's/.*Enabled xstate features \(0x[0-9a-f]*\),.*/\1/p')
    features=$((${features:-0}))
    component 0
    component 1
    component 2 avx
    component 9 $(protection_keys)
    component 10 xsaves
    if ! lacks xsaves; then
        check "the kernel names the PASID state" sh -c "dmesg |
            grep \"Supporting XSAVE feature 0x400: 'PASID state'\""
    fi
    is "complaints about the state's layout" "$(dmesg | grep -c \
        -e 'XSAVE consistency' -e 'xfeature.*\(wrong\|unexpected\)' \
        -e "enabled but.*disabled" -e 'xfeatures modified' \
        -e 'buffer too small' -e 'size .* != kernel_size' \
        -e 'bad FPU state' -e 'x86/fpu:.*\(disabl\|fail\|WARN\)')" 0

    check "the module for tests loads" load cputest &&
        check "it has a device" until_true 5 test -c /dev/cputest &&
        adopt cpu-leaves
}

# cpu_state ROUNDS: tasks under load, with all that this boot has
cpu_state() {
    ops=pasid
    ! lacks xsaves || ops=kernel
    check "the kernel's hashes load" load algif_hash
    [ ! -r /lib/mods/sha256_ssse3.load ] ||
        check "their vector code loads" load sha256_ssse3
    # the choice of the fastest code measures all of it, in vector registers
    (load raid6_pq) &
    adopt cpu-state --ops "$ops" --rounds "$1"
    wait
    check "the kernel has run its RAID 6 code meanwhile" \
        sh -c "dmesg | grep 'raid6: using algorithm'"
    adopt dyn-lazy 1
    export LD_BIND_NOT=1
    adopt dyn-lazy $(($1 / 4))
    unset LD_BIND_NOT
}
