#!/bin/sh
# install.sh SOURCE-ROOT: installs libelfparse as a user would, then uses it by pkg-config from C and C++, by
# a plain cc -lelfparse, and as a Meson subproject. Each program judges itself.
set -eu
for tool in "${MESON:-meson}:meson" ninja:ninja-build pkg-config:pkg-config cc:gcc c++:g++; do
    command -v "${tool%:*}" >/dev/null ||
        { echo "skipped: ${tool%:*} is not installed (Debian package ${tool##*:})"; exit 77; }
done
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
example=$source/libelfparse/examples/plan.c
meson=${MESON:-meson}

"$meson" setup -Dtests=disabled -Dkernel=disabled -Dfuzz=disabled -Dproof=disabled -Dfuse=disabled \
    --prefix="$work/usr" --libdir=lib "$work/build" "$source" >"$work/log"
ninja -C "$work/build" libelfparse/libelfparse.a libelfparse/tools/elfparse >>"$work/log"
mkdir -p "$work/usr/lib"
"$meson" install -C "$work/build" --no-rebuild --tags devel,runtime,man >>"$work/log" 2>&1 || {
    "$meson" install -C "$work/build" >>"$work/log" 2>&1
}
export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig"

# shellcheck disable=SC2046 # lists of options
cc $(pkg-config --cflags elfparse) "$example" $(pkg-config --libs elfparse) -o "$work/by-pkg-config"
# shellcheck disable=SC2046
c++ -x c++ -std=c++17 -Wall -Wextra -Werror $(pkg-config --cflags elfparse) "$example" -x none \
    $(pkg-config --libs elfparse) -o "$work/by-c++"
cc -I"$work/usr/include" -L"$work/usr/lib" "$example" -lelfparse -o "$work/by-cc"
for program in by-pkg-config by-c++ by-cc; do
    "$work/$program" "$work/$program" | grep -q '^map ' || { echo "$program fails"; exit 1; }
done
"$work/usr/bin/elfparse" --quiet "$work/by-cc" | grep -q ': accepted$'
test -s "$work/usr/share/man/man1/elfparse.1"

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
echo "installed, used by pkg-config, C++, cc and as a subproject"
