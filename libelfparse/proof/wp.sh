#!/bin/sh
# wp.sh LIBRARY-FOLDER CACHE FUNCTIONS [SED-SCRIPT [FILE]]: proves the contracts of the judgement of segments. With a sed script
# the source (load.c, or that file) is damaged by it first, and then the proof must fail: a proof that cannot fail proves nothing.
# CACHE: what provers have answered, a goal a line: the name of WP's file and its contents. WP_KEEP=FILE adds to it what is
# new. SOURCE: the file that is proved, load.c unless it is given.
set -eu
library=$1 cache=$2 functions=$3 damage=${4-} file=${5-load.c}
kept=$(cd "$(dirname "$0")" && pwd)/../../.ci/proved
script=$(cat "$0")
smoke='-wp-smoke-tests -wp-smoke-timeout 3'
seconds=30
for tool in frama-c:frama-c-base why3:why3 z3:z3 cvc4:cvc4; do
    command -v "${tool%:*}" >/dev/null ||
        { echo "skipped: ${tool%:*} is not installed (Debian package ${tool#*:})"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$library/src" "$library/include" "$library/proof/stubs.h" "$work"
mkdir "$work/cache"
while read -r goal answer; do echo "$answer" >"$work/cache/$goal.json"; done <"$cache"
if [ -n "$damage" ]; then
    smoke='' seconds=5
    sed -i "$damage" "$work/src/$file"
    ! cmp -s "$work/src/$file" "$library/src/$file" || { echo "the damage changed nothing"; exit 1; }
fi
cd "$work"
key=$("$kept" key "$script $functions $damage" '-Iinclude -Isrc -include stubs.h' "src/${SOURCE-load.c}")
! "$kept" has "$key" || exit 0
export HOME="$work" # why3 keeps its list of provers there
why3 config detect >detected 2>&1 || { echo "why3 finds no prover:"; cat detected; exit 1; }
# shellcheck disable=SC3045 # dash and bash know -S
ulimit -S -t "${CPU_SECONDS-300}" # each program; wall time would fail on a busy machine
# shellcheck disable=SC2086 # smoke is a list of options
frama-c -machdep x86_64 -no-unicode -cpp-extra-args="-Iinclude -Isrc -include $work/stubs.h" \
    -wp -wp-rte -wp-prover z3,cvc4 -wp-timeout "${WP_TIMEOUT:-$seconds}" -wp-par 2 $smoke \
    -wp-cache "${WP_CACHE:-update}" -wp-cache-dir "$work/cache" \
    -wp-fct "$functions" \
    "src/${SOURCE-load.c}" >log 2>&1 || {
        [ $? != 152 ] || echo "WP took more than ${CPU_SECONDS-300} s of processor time" # SIGXCPU
        grep -E "rror" log | head
        tail -5 log
        exit 1
    }
if [ -n "${WP_KEEP-}" ]; then
    for goal in cache/*.json; do echo "$(basename "$goal" .json) $(tr '\n' ' ' <"$goal")"; done |
        sed 's/ *$//' | sort -u - "$WP_KEEP" >kept && cp kept "$WP_KEEP"
fi
grep -E "Proved goals|Timeout|Unknown|Failed" log || true
proved=$(sed -n 's/.*Proved goals: *\([0-9]*\) \/ *\([0-9]*\).*/\1 \2/p' log)
if [ -n "$damage" ]; then
    [ "${proved% *}" != "${proved#* }" ] || { echo "proved although the code was damaged"; exit 1; }
    echo "the damage was noticed"
else
    [ -n "$proved" ] && [ "${proved% *}" = "${proved#* }" ]
fi
"$kept" keep "$key"
