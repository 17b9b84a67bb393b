#!/bin/sh
# instructions.sh plan BENCH: instructions a file, counted by callgrind as the difference of two runs; of the same files re-encoded as
# ELF32 (-32) and as big-endian ELF64 (-big) also in per cent of those that the files themselves take.
# instructions.sh relocate PROGRAM: instructions for each of 10,000 relative relocations.
command -v valgrind >/dev/null || { echo "instructions not counted: valgrind is not installed (Debian package valgrind)"; exit 0; }
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}
plan() {
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
}
relocate() {
    for way in bare memory callback; do
        once=$(count "$1" $way 1)
        twice=$(count "$1" $way 2)
        instructions=$(( (twice - once) / 100 ))
        [ $way != bare ] || bare=$instructions
        echo "$way: $((instructions / 100)).$((instructions % 100)) instructions a relocation, $((instructions * 100 / bare)) % of the bare loop"
    done
}
"$@"
