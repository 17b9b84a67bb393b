#!/bin/sh
# size.sh ARCHIVE LIBRARY-FOLDER: bytes of text and the largest stack frames. The loader's part is what
# elfparse_plan_make and elfparse_plan_apply_bias pull in: the sections that are left when a linker drops the others.
set -eu
for tool in ld:binutils size:binutils cc:gcc awk:mawk; do
    command -v "${tool%:*}" >/dev/null ||
        { echo "skipped: ${tool%:*} is not installed (Debian package ${tool#*:})"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
text() { size -A "$1" | awk '/^\.text/ { text += $2 } /^\.rodata/ { data += $2 } END { print text, "bytes of text,", data, "of constants" }'; }
ld -r --gc-sections -e elfparse_plan_make -u elfparse_plan_apply_bias -o "$work/loader" "$1"
ld -r --whole-archive -o "$work/whole" "$1"
echo "the loader's part: $(text "$work/loader")"
echo "the whole library: $(text "$work/whole")"
mkdir "$work/small"
for file in "$2"/src/link*.c; do
    cc -std=c17 -Os -fPIC -ffreestanding -fno-stack-protector -ffunction-sections -I"$2/include" -c "$file" \
        -o "$work/small/$(basename "$file").o"
done
ld -r -o "$work/linking" "$work"/small/*.o
echo "linking (link*.c) with -Os: $(text "$work/linking")"
echo "the largest functions of the loader's part (bytes):"
size -A "$work/loader" | awk '/^\.text/ { sub(/^\.text\.(unlikely\.)?/, "", $1); print $2, $1 }' | sort -rn | head -8
for file in "$2"/src/*.c; do
    cc -std=c17 -O2 -fPIC -ffreestanding -fno-stack-protector -fstack-usage -I"$2/include" -c "$file" \
        -o "$work/$(basename "$file").o"
done
echo "the largest stack frames (bytes):"
cat "$work"/*.su | awk '{ split($1, at, ":"); print $2, at[4] }' | sort -rn | head -5
