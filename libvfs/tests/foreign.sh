#!/bin/sh
# foreign.sh LIBVFS CC RUN: compiles the library and its unit tests for another machine and runs them
# there: big-endian, or of 32 bits. Exits 77 with a word where there is no such compiler or emulator.
# foreign.sh LIBVFS --check CLANG TARGET...: every file of the library compiles without a warning for each.
set -eu
libvfs=$(cd "$1" && pwd) cc=$2
shift 2
warnings='-std=c17 -O2 -Wall -Wextra -Werror -Wconversion -Wno-unused-parameter -ffreestanding'
if [ "$cc" = --check ]; then
    clang=$1
    shift
    command -v "$clang" >/dev/null || { echo "skipped: $clang is not installed"; exit 77; }
    for target; do
        # shellcheck disable=SC2086 # a list of options
        "$clang" --target="$target" $warnings -fsyntax-only -I"$libvfs/include" -I"$libvfs/src" \
            "$libvfs"/src/*.c
        echo "$target: every file compiles"
    done
    exit
fi
command -v "$cc" >/dev/null || { echo "skipped: $cc is not installed (Debian package gcc-${cc%-gcc})"; exit 77; }
case $("$cc" -print-file-name=libc.a) in
/*) ;;
*) echo "skipped: the C library for $cc is not installed (Debian package libc6-dev-...-cross)"; exit 77 ;;
esac
run=$1
command -v "$run" >/dev/null || { echo "skipped: $run is not installed (Debian package qemu-user)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck disable=SC2086
"$cc" $warnings -c -I"$libvfs/include" -I"$libvfs/src" "$libvfs"/src/*.c
set --
for file in "$libvfs"/tests/*.c; do
    [ "${file##*/}" = archive_tool.c ] || set -- "$@" "$file"
done
"$cc" -std=gnu17 -O0 -Wall -Wextra -Werror -Wno-unused-parameter -static \
    -I"$libvfs/tests/foreign" -I"$libvfs/include" -I"$libvfs/src" -o test ./*.o "$@"
"$run" ./test
