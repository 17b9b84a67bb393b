#!/bin/sh
# instructions.sh BENCH: instructions a file, counted by callgrind as the difference of two runs.
command -v valgrind >/dev/null || { echo "instructions not counted: valgrind is not installed (Debian package valgrind)"; exit 0; }
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}
files=$("$1" -c)
for what in headers all libelf narrow big swapped; do
    once=$(count "$1" -o "$what" -n 1)
    twice=$(count "$1" -o "$what" -n 2)
    echo "$what: $(( (twice - once) / files )) instructions a file"
done
