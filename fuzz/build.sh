#!/bin/sh
# build.sh [TARGET...]: builds fuzz targets, all by default, for ClusterFuzzLite and OSS-Fuzz. These set CC, CXX, CFLAGS, CXXFLAGS,
# LIB_FUZZING_ENGINE, SANITIZER, OUT, WORK. Leaves in $OUT, for each target T: T, T_seed_corpus.zip, T.dict, T.options.
# Adds no sanitizer, engine or compiler of its own. Needs meson, ninja, python3 and cmocka's headers.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
: "${OUT:?}" "${WORK:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
# Meson only lists sources and makes seeds, with the host's own compiler.
env -u CC -u CXX -u CFLAGS -u CXXFLAGS -u LDFLAGS meson setup "$WORK/meson" "$root" -Dtests=enabled -Dfuzz=auto >&2
ninja -C "$WORK/meson" libelfparse/tests/corpus.stamp >&2
exec python3 "$root/fuzz/driver/package.py" --meson "$WORK/meson" --work "$WORK/objects" --out "$OUT" "$@"
