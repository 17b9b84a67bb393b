#!/bin/sh
# instructions.sh BENCH: instructions a file, counted by callgrind as the difference of two runs; of the same files re-encoded as
# ELF32 (-32) and as big-endian ELF64 (-big) also in per cent of those that the files themselves take.
command -v valgrind >/dev/null || { echo "instructions not counted: valgrind is not installed (Debian package valgrind)"; exit 0; }
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}
files=$("$1" -c)
for what in libelf headers headers-32 headers-big all all-32 all-big; do
    once=$(count "$1" -o "$what" -n 1)
    twice=$(count "$1" -o "$what" -n 2)
    instructions=$(( (twice - once) / files ))
    case $what in
    *-*) echo "$what: $instructions instructions a file, $(( instructions * 100 / itself )) %" ;;
    *) echo "$what: $instructions instructions a file" && itself=$instructions ;;
    esac
done
