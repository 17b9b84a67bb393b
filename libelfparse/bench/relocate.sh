#!/bin/sh
# relocate.sh PROGRAM: instructions for each of 10,000 relative relocations, counted by callgrind as the difference of two runs.
command -v valgrind >/dev/null || { echo "instructions not counted: valgrind is not installed (Debian package valgrind)"; exit 0; }
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}
for way in bare memory callback; do
    once=$(count "$1" $way 1)
    twice=$(count "$1" $way 2)
    instructions=$(( (twice - once) / 100 ))
    [ $way != bare ] || bare=$instructions
    echo "$way: $((instructions / 100)).$((instructions % 100)) instructions a relocation, $((instructions * 100 / bare)) % of the bare loop"
done
