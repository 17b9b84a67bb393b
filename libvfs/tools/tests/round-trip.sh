#!/bin/sh
# round-trip.sh VFS_IMAGE: archives go around between vfs-image, bsdtar and GNU cpio, and come out
# as the same tree.
set -eu
image=$(realpath "$1")
for tool in bsdtar:libarchive-tools cpio:cpio; do
    if ! command -v "${tool%:*}" >/dev/null; then
        echo "skipped: ${tool%:*} is not installed (Debian package ${tool#*:})"
        exit 77
    fi
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

make_tree()
{
    mkdir -p tree/d/e tree/empty tree/with\ blank
    printf 'hello' >tree/d/small
    : >tree/d/nothing
    head -c 100000 /dev/zero | tr '\0' 'z' >tree/d/e/large
    printf 'odd' >tree/d/odd && head -c 4097 /dev/zero >tree/zeros
    ln tree/d/small tree/hard && ln tree/d/small tree/d/e/hard
    ln -s d/small tree/link && ln -s /absolute/nowhere tree/dangling && ln -s .. tree/d/up
    mkfifo tree/fifo
    chmod 0700 tree/d && chmod 04711 tree/d/odd && chmod 01777 tree/empty && chmod 0400 tree/zeros
    name=$(printf 'n%.0s' $(seq 60)) # ustar splits it at a slash
    mkdir -p "tree/$name/$name" && printf 'deep' >"tree/$name/$name/$name"
    printf 'utf' >'tree/with blank/ünï'
    if [ "$(id -u)" = 0 ]; then
        mknod tree/null c 1 3 && mknod tree/disk b 8 17
        chown 1:2 tree/d/odd && chown -h 3:4 tree/link && chmod 04711 tree/d/odd
    fi
    find tree -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
}

# A line for each object: all that an archive keeps. Sizes of directories mean nothing.
manifest()
{
    (cd "$1" && find . -type d ! -name . -printf '%P %y %m %U:%G %T@ %l\n' | sort
     find . ! -type d -printf '%P %y %m %U:%G %n %T@ %l\n' | sort
     find . -type f -printf '%P %s\n' | sort
     find . -type f -exec sha256sum {} + | sort
     find . -samefile d/small | sort)
}

# GNU cpio sets no times of links, and those of directories before it fills them.
without_times()
{
    sed 's/ \([dl]\) \(.*\) [0-9]*\.[0-9]* / \1 \2 /'
}

# compare WHAT DIRECTORY [FILTER]: the tree in DIRECTORY must be the one of the beginning; it is
# removed.
compare()
{
    manifest "$2" | ${3-cat} >found
    ${3-cat} <before >wanted
    if ! cmp -s wanted found; then
        echo "not ok: $1"
        diff wanted found | head -20
        exit 1
    fi
    echo "ok: $1"
    chmod -R u+rwx "$2"
    rm -rf "$2"
}

make_tree
manifest tree >before

for format in cpio cpio-crc tar; do
    "$image" pack -f $format tree a.$format
    "$image" check a.$format
    "$image" extract a.$format out
    compare "vfs-image pack -f $format, vfs-image extract" out
    mkdir out && bsdtar -C out -xpf a.$format
    compare "vfs-image pack -f $format, bsdtar" out
done
for format in cpio cpio-crc; do
    mkdir out && (cd out && cpio -idm --no-absolute-filenames --quiet <../a.$format)
    compare "vfs-image pack -f $format, GNU cpio" out without_times
done

for format in newc ustar pax gnutar; do
    bsdtar -C tree --format $format -cf b.$format .
    "$image" extract b.$format out
    compare "bsdtar --format $format, vfs-image extract" out
done
for format in newc crc; do
    (cd tree && find . -depth | cpio -o -H $format --quiet) >b.$format
    "$image" extract b.$format out
    compare "GNU cpio -H $format, vfs-image extract" out
done

# Through another format and back; and what is exported twice is the same to the byte.
"$image" convert -f tar a.cpio c.tar && "$image" convert -f cpio c.tar c.cpio
"$image" extract c.cpio out
compare 'cpio to tar to cpio' out
"$image" convert -f cpio a.cpio d.cpio && "$image" convert -f cpio d.cpio e.cpio
cmp d.cpio e.cpio

# Concatenated archives with padding, as an initramfs.
(cd tree && find d -depth | cpio -o -H newc --quiet) >first
(cd tree && find . -depth | cpio -o -H newc --quiet) >second
{ cat first && head -c 1024 /dev/zero && cat second; } >both
"$image" extract both out
compare 'two cpio archives, one after the other' out

# Names as long as a file system takes them, which ustar cannot say.
name=$(printf 'x%.0s' $(seq 255))
mkdir -p "long/$name" && printf 'long' >"long/$name/$name"
for format in newc pax gnutar; do
    bsdtar -C long --format $format -cf l.$format .
    "$image" extract l.$format out && [ "$(cat "out/$name/$name")" = long ]
    rm -rf out
done
"$image" pack -f tar long l.tar && mkdir out && bsdtar -C out -xf l.tar
[ "$(cat "out/$name/$name")" = long ]
echo 'ok: names of 255 bytes'
