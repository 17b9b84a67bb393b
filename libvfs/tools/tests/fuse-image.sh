#!/bin/sh
# fuse-image.sh VFS_FUSE VFS_IMAGE: vfs-fuse begins with an archive and leaves one behind, in the
# foreground and as a daemon, with relative names.
set -eu
skip()
{
    echo "skipped: $1"
    exit 77
}
if [ "${FUSE_IMAGE_INSIDE-}" != yes ]; then
    [ "$(id -u)" = 0 ] || skip 'only root may mount: run the tests as root'
    for tool in unshare mount umount mountpoint; do
        command -v $tool >/dev/null ||
            skip "$tool is not installed (Debian packages util-linux and mount)"
    done
    [ -e /dev/fuse ] || skip 'there is no /dev/fuse here'
    # Opening it tells more than its mode: a container may forbid the device.
    (: <>/dev/fuse) 2>/dev/null || skip '/dev/fuse cannot be opened here'
    refused=$(unshare -m --propagation private mount -t tmpfs tmpfs /tmp 2>&1) ||
        skip "this container may not mount: $refused"
    FUSE_IMAGE_INSIDE=yes exec unshare -m --propagation private sh "$0" "$@"
fi

fuse=$(realpath "$1")
image=$(realpath "$2")
dir=$(mktemp -d)
trap 'umount -l "$dir/mnt" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
mkdir tree mnt
echo hello >tree/file
ln tree/file tree/name
ln -s file tree/link
"$image" pack -f tar tree begin.tar

# As a daemon: it has mounted when the command returns, and has saved when its process ends.
"$fuse" --image=begin.tar --save=end.cpio mnt
[ "$(cat mnt/link)" = hello ]
[ "$(stat -c %h mnt/name)" = 2 ]
# It may take half of the machine's memory, if nothing else is said.
[ "$(stat -f -c %b mnt)" = $(($(getconf _PHYS_PAGES) * $(getconf PAGESIZE) / 2 / 4096)) ]
echo more >>mnt/name
mkdir mnt/new
umount mnt
tries=0
until "$image" check end.cpio >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ]
done
"$image" list end.cpio | grep -q ' new$'
"$image" extract end.cpio out
[ "$(cat out/file)" = "$(printf 'hello\nmore')" ]

# What unpacks to more than a quota is not mounted.
head -c 9000000 /dev/zero >tree/zeros
"$image" pack tree bomb.cpio
if "$fuse" -f -o pages=2197 --image=bomb.cpio mnt 2>refusal; then exit 1; fi
grep -q 'no space or no memory left (ENOSPC)' refusal

# In the foreground: the status says that nothing was left over.
"$fuse" -f --image=end.cpio --save=last.tar mnt &
server=$!
until mountpoint -q mnt; do
    kill -0 $server
done
echo last >mnt/new/last
exec 3<mnt/new/last
rm mnt/new/last
[ "$(cat <&3)" = last ]
exec 3<&-
umount mnt
wait $server
"$image" check last.tar | grep -q 'good: 4 names; 1 directories'
"$image" convert -f tar last.tar again.tar
cmp last.tar again.tar
