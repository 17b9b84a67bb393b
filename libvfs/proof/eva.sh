#!/bin/sh
# eva.sh FOLDER EXPECTED PREPROCESSOR-OPTIONS FILE...: runs Eva over a driver and sources, in FOLDER (that of libvfs or the kernel).
# EXPECTED: "proved" succeeds on 0 alarms with all preconditions valid; "refuted" on anything else: a planted fault must be
# found. DAMAGE in the environment is a sed script that is applied to the file IN_FILE of a copy of the folder first.
# EVA_OPTIONS are passed to Eva. CPU_SECONDS: processor time that Eva may take; a limit of wall time would fail on a busy machine.
set -u
folder=$1 expected=$2 preprocessor=$3
shift 3
command -v frama-c >/dev/null || {
    echo 'skipped: frama-c is not installed (Debian package frama-c-base)'
    exit 77
}
proved=$(cd "$(dirname "$0")" && pwd)/../../.ci/proved
script=$(cat "$0")
if [ -n "${DAMAGE-}" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cp -r "$folder" "$work/damaged"
    sed -i "$DAMAGE" "$work/damaged/$IN_FILE"
    ! cmp -s "$work/damaged/$IN_FILE" "$folder/$IN_FILE" || { echo 'the damage changed nothing'; exit 1; }
    folder=$work/damaged
fi
cd "$folder" || exit 2 # the preprocessor's arguments are split at blanks
key=$("$proved" key "$script $expected ${EVA_OPTIONS-}" "$preprocessor" "$@") || exit 1
! "$proved" has "$key" || exit 0
# shellcheck disable=SC3045 # dash and bash know -S
ulimit -S -t "${CPU_SECONDS-1200}"
# shellcheck disable=SC2086 # EVA_OPTIONS is a list of options
out=$(frama-c -no-autoload-plugins -load-module Eva,Scope,Variadic -c11 -machdep gcc_x86_64 -no-unicode \
    -eva ${EVA_OPTIONS:--eva-precision 2} -cpp-extra-args="$preprocessor" "$@" 2>&1)
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
esac || exit 1
"$proved" keep "$key"
