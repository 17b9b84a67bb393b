#!/bin/sh
# planted.sh CLANG SOURCE-ROOT TARGET FILE SED-SCRIPT: fuzz_elfparse_TARGET, which is relocate or link, finds the fault
# that the script plants in a source of its subject.
set -eu
clang=$1 root=$2 target=$3 file=$4 damage=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$root/libelfparse/src" "$work/src"
sed -i "$damage" "$work/src/$file"
! cmp -s "$work/src/$file" "$root/libelfparse/src/$file" || { echo "the damage changed nothing"; exit 1; }
cd "$work"
"$clang" -std=gnu17 -O1 -g -w -fsanitize=fuzzer,address -I"$root/libelfparse/include" -Isrc -I"$root/fuzz" \
    -I"$root/libelfparse/tests" "$root/fuzz/fuzz_elfparse_$target.c" "$root/fuzz/elfparse/invariants.c" \
    "$root/libelfparse/tests/pair.c" src/link*.c src/reloc*.c src/error.c src/fail.c -o fuzz ||
    { echo "skipped: clang cannot link a fuzzer"; exit 77; }
if ./fuzz -seed=1 -runs=1000000 -max_total_time=60 -max_len=3000 >log 2>&1; then
    echo "the fault was not found"
    exit 1
fi
grep -E 'does not hold|invariant|ERROR: AddressSanitizer' log | head -2
echo "the fault was found"
