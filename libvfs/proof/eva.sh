#!/bin/sh
# eva.sh SOURCE_DIR EXPECTED DEFINES FILE... - runs Eva over a driver and sources.
# EXPECTED: "proved" succeeds on 0 alarms with all preconditions valid; "refuted" on anything else: a
# planted bug must be found. EVA_OPTIONS in the environment are handed on. CPU_SECONDS: processor time
# that Eva may take; a limit of wall time would fail on a busy machine.
set -u
src=$1 expected=$2 defines=$3
shift 3
command -v frama-c >/dev/null || {
    echo 'skipped: frama-c is not installed (Debian package frama-c-base)'
    exit 77
}
cd "$src" || exit 2 # the preprocessor's arguments are split at blanks
# shellcheck disable=SC3045 # dash and bash know -S
ulimit -S -t "${CPU_SECONDS-400}"
# shellcheck disable=SC2086 # EVA_OPTIONS is a list of options
out=$(frama-c -no-autoload-plugins -load-module Eva,Scope,Variadic -c11 -machdep gcc_x86_64 -no-unicode \
    -eva ${EVA_OPTIONS:--eva-precision 2} \
    -cpp-extra-args="-Iinclude -Isrc -include proof/builtins.h $defines" "$@" 2>&1)
if [ $? = 152 ]; then # SIGXCPU
    echo "Eva took more than ${CPU_SECONDS-400} s of processor time"
    exit 1
fi
alarms=$(printf '%s\n' "$out" | sed -n 's/^ *\([0-9]*\) alarms\{0,1\} generated.*/\1/p')
printf '%s\n' "$out" | grep -A2 '\[eva:alarm\]'
printf '%s\n' "$out" | tail -12
sound=$(printf '%s\n' "$out" | grep -c 'Preconditions .* 0 unknown *0 invalid')
[ -n "$alarms" ] || exit 2 # the analysis did not come to its end
case $expected in
proved) [ "$alarms" = 0 ] && [ "$sound" = 1 ] ;;
refuted) [ "$alarms" != 0 ] || [ "$sound" = 0 ] ;;
*) false ;;
esac
