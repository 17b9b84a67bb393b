#!/bin/sh
# crash_names.sh CLANG: the report of a crash in a fuzz target names function and line, which takes
# a symbolizer that the sanitizers' runtime can find.
set -eu
command -v llvm-symbolizer-19 >/dev/null || command -v llvm-symbolizer >/dev/null || {
    echo 'skipped: llvm-symbolizer-19 is not installed (Debian package llvm-19)'
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/crash.c" <<'END'
#include <stddef.h>
#include <stdlib.h>

static __attribute__((noinline)) int beyond_the_end(volatile char *bytes)
{
    return bytes[4];
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *bytes = calloc(1, 4);
    int found = bytes ? beyond_the_end(bytes) + (size ? data[0] : 0) : 0;

    free(bytes);
    return found < 0;
}
END
"$1" -g -O1 -fsanitize=fuzzer,address "$work/crash.c" -o "$work/crash"
if (cd "$work" && ./crash -runs=1) >"$work/report" 2>&1; then
    echo 'the target did not crash'
    exit 1
fi
grep -q 'in beyond_the_end .*crash\.c:6' "$work/report" || {
    echo 'the report has no names:'
    grep '^ *#' "$work/report" | head -3
    exit 1
}
echo 'the report names function and line'
