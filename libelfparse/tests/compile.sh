#!/bin/sh
# compile.sh header INCLUDE-FOLDER NAME c|cpp: the header compiles alone, twice, without a warning.
# compile.sh machine TEST-FOLDER CC RUN...: compiles the rules' cases and the library for another machine and runs
# them there: big-endian, or of 32 bits. FLAGS: more options of the compiler. Exits 77 with a word where there is no such compiler or emulator.
set -eu
header() {
    case $3 in
    c) compiler="cc -x c -std=c17 -Wstrict-prototypes" ;;
    *) compiler="c++ -x c++ -std=c++17" ;;
    esac
    command -v "${compiler%% *}" >/dev/null ||
        { echo "skipped: ${compiler%% *} is not installed (Debian packages gcc and g++)"; exit 77; }
    printf '#include <elfparse/%s.h>\n#include <elfparse/%s.h>\n' "$2" "$2" |
        $compiler -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror -fsyntax-only -I"$1" -
}
machine() {
    tests=$1 cc=$2
    shift 2
    command -v "$cc" >/dev/null || { echo "skipped: $cc is not installed (Debian package gcc-${cc%-gcc})"; exit 77; }
    case $("$cc" -print-file-name=libc.a) in
    /*) ;;
    *) echo "skipped: the C library for $cc is not installed (Debian package libc6-dev-...-cross)"; exit 77 ;;
    esac
    if [ $# -gt 0 ]; then
        command -v "$1" >/dev/null || { echo "skipped: $1 is not installed (Debian package qemu-user)"; exit 77; }
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # shellcheck disable=SC2086 # FLAGS is a list
    "$cc" -std=c17 -O2 ${FLAGS-} -Wall -Wextra -Werror -Wconversion -Wno-unused-parameter -ffreestanding -static \
        -I"$tests/../include" -I"$tests" "$tests"/../src/*.c "$tests"/image.c "$tests"/cases*.c \
        "$tests"/test_foreign.c -o "$work/test"
    "$@" "$work/test"
}
"$@"
