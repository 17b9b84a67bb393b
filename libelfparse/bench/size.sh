#!/bin/sh
# size.sh ARCHIVE LIBRARY-FOLDER [ALL ONE]: bytes of text and the largest stack frames. The loader's part is what
# elfparse_plan_make and elfparse_plan_apply_bias pull in: the sections that are left when a linker drops the others.
# ARCHIVE knows every machine; the same is compiled for x86-64 alone as well. Linking and relocation are compiled with -Os.
# ALL, ONE: most bytes of text that the loader's part may have for every machine and for x86-64 alone; more is a failure, as
# are more than 10 KB of linking, 7 KB of relocation, or 4 KB of relocation for x86-64 alone.
set -eu
for tool in ld:binutils size:binutils cc:gcc awk:mawk; do
    command -v "${tool%:*}" >/dev/null ||
        { echo "skipped: ${tool%:*} is not installed (Debian package ${tool#*:})"; exit 77; }
done
archive=$1 library=$2 all=${3-} one=${4-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
text() { size -A "$1" | awk '/^\.text/ { text += $2 } /^\.rodata/ { data += $2 } END { print text, "bytes of text,", data, "of constants" }'; }
loader() { ld -r --gc-sections -e elfparse_plan_make -u elfparse_plan_apply_bias -o "$2" "$1"; }
# within FILE MOST
within() {
    bytes=$(text "$1")
    [ "${bytes%% *}" -le "$2" ] || { echo "$(basename "$1"): more text than $2 bytes"; exit 1; }
}
# As Meson compiles the archive, less debugging information.
case $(uname -m) in x86_64) machine="-mno-red-zone -mgeneral-regs-only" ;; *) machine= ;; esac
compile() {
    # shellcheck disable=SC2086 # machine is a list
    cc -std=c17 -O2 -fPIC -ffreestanding -fno-stack-protector -fvisibility=hidden $machine -ffunction-sections \
        -fdata-sections -fira-region=one -I"$library/include" "$@"
}
loader "$archive" "$work/loader"
ld -r --whole-archive -o "$work/whole" "$archive"
for file in "$library"/src/*.c; do
    compile -DELFPARSE_MACHINES=ELFPARSE_MACHINE_X86_64 -c "$file" -o "$work/$(basename "$file").o"
done
ar cr "$work/one.a" "$work"/*.o
loader "$work/one.a" "$work/loader-one"
echo "the loader's part: $(text "$work/loader")"
echo "the loader's part for x86-64 alone: $(text "$work/loader-one")"
echo "the whole library: $(text "$work/whole")"
# small NAME SENTENCE PATTERN MACHINES
small() {
    mkdir "$work/small"
    for file in "$library"/src/$3; do
        cc -std=c17 -Os -fPIC -ffreestanding -fno-stack-protector -ffunction-sections -I"$library/include" "-DELFPARSE_MACHINES=ELFPARSE_MACHINE_$4" -c "$file" \
            -o "$work/small/$(basename "$file").o"
    done
    ld -r -o "$work/$1" "$work"/small/*.o
    rm -r "$work/small"
    echo "$2 with -Os: $(text "$work/$1")"
}
small linking "linking (link*.c)" 'link*.c' ALL
small relocation "relocation (reloc*.c)" 'reloc*.c' ALL
small relocation-one "relocation for x86-64 alone" 'reloc*.c' X86_64
if [ -n "$all" ]; then
    within "$work/loader" "$all"
    within "$work/loader-one" "$one"
    within "$work/linking" 10240
    within "$work/relocation" 7168
    within "$work/relocation-one" 4096
    exit
fi
echo "the largest functions of the loader's part (bytes):"
size -A "$work/loader" | awk '/^\.text/ { sub(/^\.text\.(unlikely\.|hot\.)?/, "", $1); print $2, $1 }' | sort -rn | head -8
for file in "$library"/src/*.c; do
    compile -fstack-usage -c "$file" -o "$work/$(basename "$file").o"
done
echo "the largest stack frames (bytes):"
cat "$work"/*.su | awk '{ split($1, at, ":"); print $2, at[4] }' | sort -rn | head -5
