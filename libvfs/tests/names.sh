#!/bin/sh
# names.sh CC NM LIBRARY HEADERS_FOLDER: every name that libvfs gives to its users begins with umvfs_ or
# UMVFS_: symbols of the archive, and macros, structures, enumerations and enumerators of the headers.
set -eu
cc=$1 nm=$2 library=$3 folder=$4
for tool in "$cc" "$nm"; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 1; }
done
list=$(mktemp)
wrong=0

# check WHAT PATTERN: the names in the list, of which all match the pattern, and there are some.
check()
{
    [ -s "$list" ] || { echo "$1: none found"; exit 1; }
    if grep -vE "$2" "$list"; then
        echo "$1: the names above have no prefix" && wrong=1
    else
        echo "$1: $(wc -l <"$list")"
    fi
}

"$nm" -g --defined-only "$library" | awk 'NF == 3 { print $3 }' | sort -u >"$list"
check symbols '^umvfs_'

none=$(mktemp)
trap 'rm -f "$list" "$none" "$none.h" "$none.all.h"' EXIT
printf '#include <stddef.h>\n#include <stdint.h>\n#include <stdbool.h>\n' >"$none.h"
cat "$none.h" >"$none.all.h"
for header in "$folder"/umvfs/*.h; do echo "#include <umvfs/$(basename "$header")>"; done >>"$none.all.h"
"$cc" -std=c17 -dM -E "$none.h" | sort >"$none"
"$cc" -std=c17 -I"$folder" -dM -E "$none.all.h" | sort | comm -13 "$none" - |
    sed 's/^#define \([A-Za-z_0-9]*\).*/\1/' >"$list"
check macros '^UMVFS_'

"$cc" -std=c17 -I"$folder" -E -P "$none.all.h" | sed '/^#/d' >"$none"
sed '/umvfs/I,$!d' "$none" | grep -oE '\b(struct|enum|union) [A-Za-z_0-9]+' | awk '{ print $2 }' | sort -u >"$list"
check 'structures and enumerations' '^umvfs'
sed '/umvfs/I,$!d' "$none" | grep -oE '\b[A-Z][A-Z0-9_]+\b' | sort -u >"$list"
check enumerators '^UMVFS_'
exit $wrong
