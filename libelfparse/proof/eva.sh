#!/bin/sh
# eva.sh LIBRARY-FOLDER DRIVER SOURCES [FILE SED-SCRIPT]: 0 alarms for the sources (names, space-separated) under the driver.
# With a sed script that source or header is damaged by it first, and then there must be an alarm.
# EVA_OPTIONS: what else Eva is told, DEFINES: the driver. A proof that is cut short is no proof. CPU_SECONDS: processor time that Eva
# may take; a limit of wall time would fail on a busy machine.
set -eu
library=$1 driver=$2 sources=$3 file=${4-} damage=${5-}
proved=$(cd "$(dirname "$0")" && pwd)/../../.ci/proved
script=$(cat "$0")
command -v frama-c >/dev/null || { echo "skipped: frama-c is not installed (Debian package frama-c-base)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$library/src" "$library/include" "$library"/proof/*.h "$library/proof/$driver" "$work"
cd "$work"
if [ -n "$damage" ]; then
    sed -i "$damage" "src/$file"
    ! cmp -s "src/$file" "$library/src/$file" || { echo "the damage changed nothing"; exit 1; }
fi
files=
for name in $sources; do files="$files src/$name"; done
options=${EVA_OPTIONS:--eva-precision 1 -eva-slevel 20 -eva-split-return auto -eva-auto-loop-unroll 32}
preprocessor="-I. -Iinclude -Isrc -include stubs.h ${DEFINES-}"
if [ -z "$damage" ]; then
    # shellcheck disable=SC2086 # a list of files
    key=$("$proved" key "$script $options" "$preprocessor" "$driver" $files)
    ! "$proved" has "$key" || exit 0
fi
# Contracts are WP's part.
alarms() {
    grep -A1 '\[eva:alarm\]' log | grep -vE '^--|Warning: *$|postcondition' || true
}
# shellcheck disable=SC3045 # dash and bash know -S
ulimit -S -t "${CPU_SECONDS-300}"
# shellcheck disable=SC2086 # options and sources are lists
frama-c -no-autoload-plugins -load-module Eva,Scope,Variadic -machdep x86_64 -no-unicode \
    -cpp-extra-args="$preprocessor" -eva $options \
    "$driver" $files >log 2>&1 &
pid=$!
# One alarm is enough where there must be one.
while [ -n "$damage" ] && kill -0 $pid 2>/dev/null; do
    sleep 1
    if [ -n "$(alarms)" ]; then
        kill $pid 2>/dev/null || true
        alarms | head -3
        echo "the damage was noticed"
        exit 0
    fi
done
status=0
wait $pid || status=$?
[ $status != 152 ] || { echo "Eva took more than ${CPU_SECONDS-300} s of processor time"; exit 1; } # SIGXCPU
[ $status = 0 ] || { tail -20 log; exit 1; }
grep -q '\[eva\] done for function main' log || { echo "Eva did not finish"; exit 1; }
# What has no body and no contract would be guessed.
! grep -A1 'missing-spec' log | grep 'Neither code nor' || exit 1
alarms >found
count=$(wc -l <found)
head -"${EVA_SHOW:-10}" found
echo "$driver: $count alarms"
[ "$count" = 0 ] && [ -z "$damage" ]
"$proved" keep "$key"
