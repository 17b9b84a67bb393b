#!/bin/sh
# on-mount.sh [--tap] tmpfs|VFS-FUSE OPTIONS COMMAND...
#
# Mounts a new file system, in a mount namespace of its own, and runs COMMAND with each argument {}
# replaced by the mount point; then unmounts it. The status is COMMAND's, or 1 if vfs-fuse did not
# end well. Where mounting is not possible the test is skipped, with the reason.
set -u

tap=
if [ "$1" = --tap ]; then
    tap=1
    shift
fi

skip()
{
    if [ -n "$tap" ]; then
        echo "1..0 # SKIP $1"
        exit 0
    fi
    echo "skipped: $1"
    exit 77
}

kind=$1
if [ "${ON_MOUNT_INSIDE-}" != yes ]; then
    [ "$(id -u)" = 0 ] || skip 'only root may mount: run the tests as root'
    for tool in unshare mount umount mountpoint; do
        command -v $tool >/dev/null ||
            skip "$tool is not installed (Debian packages util-linux and mount)"
    done
    if [ "$kind" != tmpfs ]; then
        [ -e /dev/fuse ] || skip 'there is no /dev/fuse here'
        # Opening it tells more than its mode: a container may forbid the device.
        (: <>/dev/fuse) 2>/dev/null || skip '/dev/fuse cannot be opened here'
    fi
    refused=$(unshare -m --propagation private mount -t tmpfs tmpfs /tmp 2>&1) ||
        skip "this container may not mount: $refused"
    export ON_MOUNT_INSIDE=yes
    exec unshare -m --propagation private sh "$0" ${tap:+--tap} "$@"
fi

options=$2
shift 2
mnt=$(mktemp -d) || exit 2
server=

finish()
{
    umount "$mnt" 2>/dev/null || umount -l "$mnt" 2>/dev/null
    ended=0
    if [ -n "$server" ]; then
        wait "$server"
        ended=$?
    fi
    rmdir "$mnt"
    if [ "$1" = 0 ] && [ "$ended" != 0 ]; then
        echo "vfs-fuse ended with status $ended" >&2
        exit 1
    fi
    exit "$1"
}

if [ "$kind" = tmpfs ]; then
    mount -t tmpfs -o "$options" tmpfs "$mnt" || finish 1
else
    "$kind" -f -o "$options" "$mnt" &
    server=$!
    until mountpoint -q "$mnt"; do
        if ! kill -0 "$server" 2>/dev/null; then
            echo 'vfs-fuse did not mount' >&2
            finish 1
        fi
    done
fi

count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    case $argument in
    "{}"*) argument=$mnt${argument#"{}"} ;;
    esac
    set -- "$@" "$argument"
    count=$((count - 1))
done
"$@"
finish $?
