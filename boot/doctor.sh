# shellcheck shell=sh disable=SC2154 # root, python and the lists are of the script umbra
# `umbra doctor`, read by the script umbra, which has the lists of packages. Prints a line for each
# check; returns 0 if `umbra run` can work here.

doctor_failed=0

good() { printf 'ok  %s\n' "$*"; }
bad() { printf 'no  %s\n' "$*"; }

# bad() for what `umbra run` needs.
fatal() {
    bad "$*"
    doctor_failed=1
}

# Packages that are missing of those named; without dpkg, none is known to be there.
missing_of() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    printf '%s' "${missing# }"
}

# check_packages PURPOSE PACKAGE...: what is missing is installed by the first command that needs it.
check_packages() {
    purpose=$1
    shift
    absent=$(missing_of "$@")
    if [ -z "$absent" ]; then
        good "packages $purpose"
    elif [ -n "$can_install" ]; then
        good "packages $purpose: will be installed when needed: $absent"
    else
        bad "packages $purpose: missing: $absent"
    fi
}

check_machine() {
    machine=$(uname -m) system=$(uname -s)
    if [ "$system/$machine" = Linux/x86_64 ]; then
        good "machine: $system on $machine, $(nproc 2>/dev/null || echo unknown) processors"
    else
        fatal "machine: $system on $machine; the kernel is built with the tools of Linux on x86_64"
    fi
    free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || true)
    if [ -z "$free" ]; then
        bad 'memory: not known, awk or /proc/meminfo is missing; the build wants about 1000 MB'
    elif [ "$free" -ge 1000 ]; then
        good "memory: $free MB are available"
    else
        bad "memory: $free MB are available; the build wants about 1000"
    fi
    space=$(df -Pk "$root" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }' 2>/dev/null || true)
    if [ -z "$space" ]; then
        bad 'disk: not known, df or awk is missing; the build wants about 500 MB'
    elif [ "$space" -ge 500 ]; then
        good "disk: $space MB are free"
    else
        fatal "disk: $space MB are free; the build wants about 500"
    fi
}

# Sets can_install: not empty if the command can install packages.
check_installer() {
    can_install=
    if ! command -v apt-get >/dev/null; then
        bad 'packages: no apt-get; install what is missing yourself, names are those of Debian'
    elif [ "$(id -u)" -eq 0 ]; then
        good 'packages: apt-get, as root'
        can_install=yes
    elif command -v sudo >/dev/null; then
        good 'packages: apt-get, with sudo'
        can_install=yes
    else
        bad 'packages: neither root nor sudo, so that nothing can be installed'
    fi
}

check_emulators() {
    if command -v bochs-bin >/dev/null; then
        good "Bochs: $(bochs-bin --help 2>&1 | sed -n 's/.*Bochs x86 Emulator \([0-9.]*\).*/version \1/p; //q' 2>/dev/null)"
    elif [ -n "$can_install" ]; then
        good 'Bochs: will be installed by the first run'
    else
        bad 'Bochs: there is no bochs-bin; run --qemu works without it'
    fi
    if command -v qemu-system-x86_64 >/dev/null; then
        good "QEMU: $(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/version \1/p' 2>/dev/null)"
    elif [ -n "$can_install" ]; then
        good 'QEMU: will be installed by the first run --qemu'
    elif command -v bochs-bin >/dev/null; then
        bad 'QEMU: there is no qemu-system-x86_64; run works without it'
    else
        fatal 'QEMU: there is no qemu-system-x86_64, and no Bochs either'
    fi
}

check_kvm() {
    if [ ! -e /dev/kvm ]; then
        bad 'KVM: there is no /dev/kvm; run --kvm does not work, run --qemu does'
    elif [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
        bad 'KVM: /dev/kvm may not be used by this user: become a member of the group kvm'
    elif ! command -v qemu-system-x86_64 >/dev/null || ! command -v "$python" >/dev/null; then
        good 'KVM: /dev/kvm may be used'
    elif said=$("$python" -c 'import sys; sys.path.insert(0, sys.argv[1]); import machine, tools
with tools.one_sentence(): machine.need_kvm_guest()' "$root/boot" 2>&1); then
        good 'KVM: a guest runs'
    else
        bad "KVM: ${said#umbra: }"
    fi
}

check_terminal() {
    if [ -t 0 ] && [ -t 1 ]; then
        good "terminal: ${TERM:-unknown}, $(stty size 2>/dev/null | tr ' ' x)"
    else
        bad 'terminal: standard input and output are none; run works, debug does not'
    fi
    if [ -c /dev/ptmx ] && [ -d /dev/pts ]; then
        good 'pseudo-terminals: /dev/pts'
    else
        fatal 'pseudo-terminals: no /dev/ptmx or /dev/pts; the console of Bochs needs them'
    fi
}

check_ports() {
    if unshare -rn true 2>/dev/null || unshare -n true 2>/dev/null; then
        good "ports: Bochs runs without a network, its screen is not reachable"
    else
        bad "ports: unshare -rn is not allowed, so that Bochs's screen (VNC) listens on port 5900 or the next"
    fi
}

# The lists of packages are those of the script umbra.
doctor() {
    check_machine
    check_installer
    if command -v dpkg-query >/dev/null; then
        # shellcheck disable=SC2086,SC2154 # lists of packages
        {
            check_packages 'to build' $for_build $for_image
            check_packages 'for Bochs' $for_bochs
            check_packages 'for QEMU' $for_qemu
            check_packages 'for UEFI' $for_uefi
            check_packages 'for debug and map' $for_debugger
            check_packages 'for the tests' $for_suites
        }
    fi
    check_emulators
    check_kvm
    check_terminal
    check_ports
    return $doctor_failed
}
