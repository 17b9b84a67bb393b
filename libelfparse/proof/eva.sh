#!/bin/sh
# eva.sh LIBRARY-FOLDER DRIVER SOURCES [SED-SCRIPT]: 0 alarms for the sources (names, space-separated) under the driver.
# With a sed script walk.h is damaged by it first, and then there must be an alarm.
set -eu
library=$1 driver=$2 sources=$3 damage=${4-}
command -v frama-c >/dev/null || { echo "skipped: no frama-c"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$library/src" "$library/include" "$library/proof/stubs.h" "$library/proof/$driver" "$work"
cd "$work"
if [ -n "$damage" ]; then
    sed -i "$damage" src/walk.h
    ! cmp -s src/walk.h "$library/src/walk.h" || { echo "the damage changed nothing"; exit 1; }
fi
files=
for name in $sources; do files="$files src/$name"; done
frama-c -machdep x86_64 -no-unicode -cpp-extra-args="-Iinclude -Isrc -include $work/stubs.h" \
    -eva -eva-precision 1 -eva-slevel ${EVA_SLEVEL:-20} -eva-split-return auto -eva-auto-loop-unroll ${EVA_UNROLL:-32} "$driver" $files >log 2>&1 || { tail -20 log; exit 1; }
# Contracts are WP's part.
grep -A1 '\[eva:alarm\]' log | grep -vE '^--|Warning: *$|postcondition' >alarms || true
alarms=$(wc -l <alarms)
head -${EVA_SHOW:-10} alarms
echo "$driver: $alarms alarms"
if [ -n "$damage" ]; then [ "$alarms" != 0 ]; else [ "$alarms" = 0 ]; fi
