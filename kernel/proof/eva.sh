#!/bin/sh
# eva.sh KERNEL_FOLDER EXPECTED DEFINES DRIVER [DAMAGE FILE]: runs Eva over a driver, which includes
# the source that it proves. EXPECTED: "proved" wants 0 alarms and all preconditions valid, "refuted"
# anything else. DAMAGE is a sed script that is applied to FILE of a copy of the kernel first: the proof
# must then fail. EVA_OPTIONS in the environment are passed to Eva. CPU_SECONDS limits its processor
# time; a limit of wall time would fail on a busy machine.
set -u
kernel=$1 expected=$2 defines=$3 driver=$4
command -v frama-c >/dev/null || {
    echo "skipped: frama-c is not installed (Debian package frama-c-base)"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/kernel"
cp -r "$kernel/mm" "$kernel/lib" "$kernel/arch" "$kernel/proof" "$work/kernel"
if [ $# -gt 4 ]; then
    sed -i "$5" "$work/kernel/$6"
    ! cmp -s "$work/kernel/$6" "$kernel/$6" || { echo "the damage changed nothing"; exit 1; }
fi
cd "$work/kernel/proof" || exit 1
# shellcheck disable=SC3045 # dash and bash know -S
ulimit -S -t "${CPU_SECONDS-1200}"
# shellcheck disable=SC2086 # EVA_OPTIONS is a list of options
out=$(frama-c -c11 -machdep gcc_x86_64 -no-unicode -no-autoload-plugins -load-module Eva,Scope,Variadic \
    -eva ${EVA_OPTIONS:-} \
    -cpp-extra-args="-I$work/kernel $defines" "$driver" 2>&1)
if [ $? = 152 ]; then # SIGXCPU
    echo "Eva took more than ${CPU_SECONDS-1200} s of processor time"
    exit 1
fi
alarms=$(printf '%s\n' "$out" | sed -n 's/^ *\([0-9]*\) alarms\{0,1\} generated.*/\1/p')
printf '%s\n' "$out" | grep -A2 '\[eva:alarm\]'
printf '%s\n' "$out" | tail -12
sound=$(printf '%s\n' "$out" | grep -c 'Preconditions .* 0 unknown *0 invalid\|No logical properties have been reached')
[ -n "$alarms" ] || exit 2 # the analysis did not come to its end
case $expected in
proved) [ "$alarms" = 0 ] && [ "$sound" = 1 ] ;;
refuted) [ "$alarms" != 0 ] || [ "$sound" = 0 ] ;;
*) false ;;
esac
