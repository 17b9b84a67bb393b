#!/bin/sh
# foreign.sh TEST-FOLDER CC RUN...: compiles the rules' cases and the library for another machine and runs
# them there: big-endian, or of 32 bits. Exits 77 with a word where there is no such compiler or emulator.
set -eu
tests=$1 cc=$2
shift 2
command -v "$cc" >/dev/null || { echo "skipped: no $cc"; exit 77; }
if [ $# -gt 0 ]; then
    command -v "$1" >/dev/null || { echo "skipped: no $1"; exit 77; }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cc" -std=c17 -O2 -Wall -Wextra -Werror -Wconversion -Wno-unused-parameter -ffreestanding -static \
    -I"$tests/../include" -I"$tests" "$tests"/../src/*.c "$tests"/image.c "$tests"/cases*.c \
    "$tests"/test_foreign.c -o "$work/test"
"$@" "$work/test"
