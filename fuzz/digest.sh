#!/bin/sh
# digest.sh ROOT CC RUN EXPECTED FOLDER...: compiles the libraries and digest.c for another machine, and whether
# they answer there what the file EXPECTED says. Exits 77 with a word where there is no such compiler or emulator.
set -eu
root=$1 cc=$2 run=$3 expected=$4
shift 4
command -v "$cc" >/dev/null || { echo "1..0 # SKIP $cc is not installed (Debian package gcc-${cc%-gcc})"; exit; }
command -v "$run" >/dev/null || { echo "1..0 # SKIP $run is not installed (Debian package qemu-user)"; exit; }
case $("$cc" -print-file-name=libc.a) in
/*) ;;
*) echo "1..0 # SKIP the C library for $cc is not installed (Debian package libc6-dev-...-cross)"; exit ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cc" -std=gnu17 -O1 -D_FILE_OFFSET_BITS=64 -static -I"$root/libelfparse/include" -I"$root/libvfs/include" "$root"/libelfparse/src/*.c \
    "$root"/libvfs/src/*.c "$root/fuzz/digest.c" -o "$work/digest"
"$run" "$work/digest" --expect "$expected" "$@"
