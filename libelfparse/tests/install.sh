#!/bin/sh
# install.sh SOURCE-ROOT: installs both libraries as a user would, static and shared, then uses libelfparse by
# pkg-config from C and C++, by a plain cc -lelfparse, both by CMake, and libelfparse as a Meson subproject.
# Each program judges itself.
set -eu
for tool in "${MESON:-meson}:meson" ninja:ninja-build pkg-config:pkg-config cc:gcc c++:g++ cmake:cmake; do
    command -v "${tool%:*}" >/dev/null ||
        { echo "skipped: ${tool%:*} is not installed (Debian package ${tool##*:})"; exit 77; }
done
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
example=$source/libelfparse/examples/plan.c
meson=${MESON:-meson}

"$meson" setup -Dtests=disabled -Dkernel=disabled -Dfuzz=disabled -Dproof=disabled -Dfuse=disabled \
    -Dshared=enabled -Dbuildtype=plain --prefix="$work/usr" --libdir=lib "$work/build" "$source" >"$work/log"
"$meson" install -C "$work/build" >>"$work/log" 2>&1
DESTDIR=$work/devel "$meson" install -C "$work/build" --no-rebuild --tags devel >>"$work/log" 2>&1
[ "$(find "$work/devel" -name '*.cmake' | wc -l)" = 4 ]
export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig" LD_LIBRARY_PATH="$work/usr/lib"

# shellcheck disable=SC2046 # lists of options
cc $(pkg-config --cflags elfparse) "$example" $(pkg-config --libs elfparse) -o "$work/by-pkg-config"
# shellcheck disable=SC2046
c++ -x c++ -std=c++17 -Wall -Wextra -Werror $(pkg-config --cflags elfparse) "$example" -x none \
    $(pkg-config --libs elfparse) -o "$work/by-c++"
cc -I"$work/usr/include" -L"$work/usr/lib" "$example" -lelfparse -o "$work/by-cc"
cc -I"$work/usr/include" "$example" "$work/usr/lib/libelfparse.a" -o "$work/by-archive"
for program in by-pkg-config by-c++ by-cc by-archive; do
    "$work/$program" "$work/$program" | grep -q '^map ' || { echo "$program fails"; exit 1; }
done
# needs PROGRAM LIBRARY yes|no: whether the program takes the shared library.
needs() {
    found=no
    ! readelf -d "$1" | grep -q "NEEDED.*\[$2\." || found=yes
    [ "$found" = "$3" ] || { echo "$1 needs $2: $found"; exit 1; }
}
needs "$work/by-cc" libelfparse.so yes
needs "$work/by-archive" libelfparse.so no
"$work/usr/bin/elfparse" --quiet "$work/by-cc" | grep -q ': accepted$'
for page in man1/elfparse.1 man3/elfparse.3 man3/umvfs.3; do
    test -s "$work/usr/share/man/$page" || { echo "$page is missing"; exit 1; }
done

# By CMake, moved to another place, both kinds of both libraries; another minor version is not taken.
mkdir "$work/cmake"
mv "$work/usr" "$work/moved"
export LD_LIBRARY_PATH="$work/moved/lib"
cp "$example" "$work/cmake/plan.c"
python3 "$source/libvfs/tests/parts.py" "$source/libvfs/README.md" >"$work/cmake/vfs.c"
version=$(sed -n "s/^  version: '\([0-9]*\.[0-9]*\).*/\1/p" "$source/meson.build")
cat >"$work/cmake/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(elfparse $version REQUIRED)
find_package(vfs $version REQUIRED)
foreach(kind elfparse shared)
  add_executable(plan-\${kind} plan.c)
  target_link_libraries(plan-\${kind} elfparse::\${kind})
endforeach()
foreach(kind vfs shared)
  add_executable(vfs-\${kind} vfs.c)
  target_link_libraries(vfs-\${kind} vfs::\${kind})
endforeach()
find_package(elfparse 0.1 QUIET)
if(elfparse_FOUND)
  message(FATAL_ERROR "the package says that it is version 0.1, too")
endif()
END
cmake -G Ninja -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$work/moved" >>"$work/log" || { cat "$work/log"; exit 1; }
cmake --build "$work/cmake/build" >>"$work/log"
for kind in elfparse shared; do
    "$work/cmake/build/plan-$kind" "$work/by-cc" | grep -q '^map ' || { echo "CMake: $kind fails"; exit 1; }
done
for kind in vfs shared; do
    "$work/cmake/build/vfs-$kind" | grep -q '^ *hello 5$' || { echo "CMake: libvfs, $kind fails"; exit 1; }
done
needs "$work/cmake/build/plan-elfparse" libelfparse.so no
needs "$work/cmake/build/plan-shared" libelfparse.so yes
needs "$work/cmake/build/vfs-vfs" libvfs.so no
needs "$work/cmake/build/vfs-shared" libvfs.so yes

mkdir -p "$work/user/subprojects"
ln -s "$source" "$work/user/subprojects/umbra"
cp "$example" "$work/user/plan.c"
cat >"$work/user/meson.build" <<'END'
project('user', 'c')
executable('plan', 'plan.c', dependencies: dependency('elfparse', fallback: 'umbra'))
END
"$meson" setup "$work/user/build" "$work/user" >>"$work/log"
ninja -C "$work/user/build" plan >>"$work/log"
"$work/user/build/plan" "$work/user/build/plan" | grep -q '^map '
echo "installed, used by pkg-config, C++, cc, the archive, CMake and as a subproject"
