#!/bin/sh
# header.sh INCLUDE-FOLDER NAME c|cpp: the header compiles alone, twice, without a warning.
set -eu
case $3 in
c) compiler="cc -x c -std=c17 -Wstrict-prototypes" ;;
*) compiler="c++ -x c++ -std=c++17" ;;
esac
command -v "${compiler%% *}" >/dev/null ||
    { echo "skipped: ${compiler%% *} is not installed (Debian packages gcc and g++)"; exit 77; }
printf '#include <elfparse/%s.h>\n#include <elfparse/%s.h>\n' "$2" "$2" |
    $compiler -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror -fsyntax-only -I"$1" -
