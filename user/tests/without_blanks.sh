#!/bin/sh
# without_blanks.sh PROGRAM [ARGUMENT...]: runs PROGRAM, a copy of it if its path holds a blank: the
# first line of a script cannot name an interpreter with such a path.
case $(realpath "$1") in
*[[:blank:]]*) ;;
*) exec "$@" ;;
esac
copy=$(mktemp -d /tmp/umbra-program.XXXXXX) || exit 2
trap 'rm -rf "$copy"' EXIT
program=$copy/${1##*/}
cp "$1" "$program" || exit 2
shift
"$program" "$@"
