#!/bin/sh
# commands.sh VFS_SH VFS_IMAGE VFS_IMAGE_WITHOUT MISSING [VFS_FUSE]: what the commands print and return, right
# and wrong. VFS_IMAGE_WITHOUT has no library for compressed archives, VFS_IMAGE lacks those MISSING.
# Each case is a line of four parts: status, a text that the output must contain, and the command.
set -u
sh=$1 image=$2 without=$3 missing=$4 fuse=${5-}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

# check STATUS TEXT COMMAND...
check()
{
    want=$1 text=$2
    shift 2
    count=$((count + 1))
    output=$("$@" 2>&1 </dev/null)
    status=$?
    case $output in
    *"$text"*) ;;
    *) text= ;;
    esac
    if [ "$status" = "$want" ] && { [ -n "$text" ] || [ -z "$output" ]; }; then
        echo "ok $count - $want: $*"
        return
    fi
    failed=$((failed + 1))
    echo "not ok $count - $want: $*"
    echo "# status $status, printed: $output" | head -5 | tr '\n' ' '
    echo
}

mkdir "$dir/tree" && echo hello >"$dir/tree/file" && ln "$dir/tree/file" "$dir/tree/name"
ln -s file "$dir/tree/link" && mkdir "$dir/tree/sub" && echo x >"$dir/tree/sub/x"
printf 'mkdir d 0755\nrmdir d/x = ENOENT\n' >"$dir/good.ops"
printf 'mkdir d 0755\nrmdir d/x\n' >"$dir/bad.ops"
printf 'mkdir d 0755\nnonsense\n' >"$dir/malformed.ops"
# shellcheck disable=SC2016 # vfs-sh replaces $A
printf 'each A in 1 2\nmkdir $A 0755\n' >"$dir/open.ops"
# shellcheck disable=SC2016
printf 'each A,B in 1,2 3\nmkdir $A 0755\nend\n' >"$dir/uneven.ops"

check 0 'usage: vfs-sh' "$sh" -h
check 0 'vfs-sh ' "$sh" -V
check 0 'renam' "$sh" -l
check 0 'mkdir d 0755 = ok' "$sh" -c 'mkdir d 0755'
check 0 'stat d type,mode = dir 0700' "$sh" -c 'mkdir d 0700; stat d type,mode'
check 0 'rmdir none = ENOENT' "$sh" -c 'rmdir none = EIO'
check 0 'pread 0 9 2 = llo' "$sh" -c 'open 0 f RDWR|CREAT 0644; write 0 hello; pread 0 9 2'
check 0 '@5:6,7 mkdir d 0755 = EACCES' "$sh" -c '@5:6,7 mkdir d 0755'
check 0 'ENOSPC' "$sh" --inodes 2 -c 'mkdir a 0755; mkdir b 0755; mkdir c 0755'
check 0 'ENOSPC' "$sh" --pages 1 -c 'open 0 f RDWR|CREAT 0644; write 0 {x*8192}; write 0 {y*8192}'
check 0 '1..2' "$sh" --check "$dir/good.ops"
check 1 'not ok 2 - bad.ops:2 rmdir d/x' "$sh" --check "$dir/bad.ops"
check 1 'printed ENOENT' "$sh" --check "$dir/bad.ops"
check 2 'malformed.ops:2: no such operation' "$sh" --check "$dir/malformed.ops"
check 2 'malformed.ops:2: no such operation' "$sh" "$dir/malformed.ops"
check 2 'open.ops:1: each without end' "$sh" "$dir/open.ops"
check 2 'uneven.ops:1: an item of the list' "$sh" "$dir/uneven.ops"
check 2 'an argument is missing' "$sh" -c 'mkdir d'
check 2 'too many arguments' "$sh" -c 'rmdir d d'
check 2 'an argument is malformed' "$sh" -c 'mkdir d rwx'
check 2 'an argument is malformed' "$sh" -c 'read 99 1'
check 2 'an argument is malformed' "$sh" -c 'open 0 f RDWR|NONE'
check 2 'the caller is not' "$sh" -c '@me mkdir d 0755'
check 2 'a brace is not of the form' "$sh" -c 'mkdir {a*} 0755'
check 2 'a word is too long' "$sh" -c 'mkdir {a*99999999} 0755'
check 2 'unknown escape' "$sh" -c 'mkdir \q 0755'
check 2 'No such file' "$sh" "$dir/none.ops"
check 2 'do not go together' "$sh" -c 'mkdir d 0755' "$dir/good.ops"
check 2 'do not go together' "$sh" --diff "$dir" --check
check 2 'not a number that fits: x' "$sh" --ops x
check 2 'not a number that fits: 0' "$sh" --round 0
check 2 'see vfs-sh -h' "$sh" --nonsense
check 2 'No such file' "$sh" --image "$dir/none" -c 'ls .'

check 0 'usage: vfs-image' "$image" -h
check 0 'usage: vfs-image' "$image" list -h
check 0 'vfs-image ' "$image" -V
check 2 'a command and its arguments' "$image"
check 2 'a command and its arguments' "$image" shuffle a b
check 2 'a command and its arguments' "$image" list
check 2 'a command and its arguments' "$image" pack a b c
check 2 'no such format: zip' "$image" pack -f zip "$dir/tree" "$dir/a"
check 1 'No such file' "$image" list "$dir/none"
check 1 'No such file' "$image" pack "$dir/none" "$dir/a"
check 1 'Not a directory' "$image" pack "$dir/good.ops" "$dir/a"
check 1 'No such file' "$image" pack "$dir/tree" "$dir/none/a"
for format in cpio cpio-crc tar; do
    archive=$dir/a.$format
    check 0 '' "$image" pack -f $format "$dir/tree" "$archive"
    check 0 'good: 5 names; 1 directories, 2 files with 8 bytes' "$image" check "$archive"
    check 0 'name link to file' "$image" list "$archive"
    check 0 'link -> file' "$image" list "$archive"
    check 0 'ls . = file link name sub' "$sh" --image "$archive" -c 'ls .'
    size=$(wc -c <"$archive")
    # Cut in the middle of the first header: entry 0 at offset 0.
    head -c 60 "$archive" >"$dir/cut"
    check 1 'cut: entry 0 at offset 0: ' "$image" check "$dir/cut"
    check 1 'EINVAL' "$image" list "$dir/cut"
    check 1 'entry ' "$image" extract "$dir/cut" "$dir/nothing"
    { head -c 120 "$archive"; printf '????????'; tail -c +129 "$archive"; } >"$dir/damaged"
    check 1 'at offset ' "$image" check "$dir/damaged"
    [ "$size" -gt 500 ] || failed=$((failed + 1))
done
check 1 'entry 0 at offset 0: ' "$image" check "$dir/good.ops"
check 0 '' "$image" extract "$dir/a.tar" "$dir/out"
check 0 'hello' cat "$dir/out/name"
check 1 'out/file: File exists' "$image" extract "$dir/a.tar" "$dir/out"
mkdir "$dir/trap" "$dir/outside" && ln -s "$dir/outside" "$dir/trap/sub"
check 1 'trap/sub: Not a directory' "$image" extract "$dir/a.tar" "$dir/trap"
check 0 '' ls "$dir/outside"
check 0 '' "$image" convert -f tar "$dir/a.cpio" "$dir/b.tar"
check 0 'good: 5 names' "$image" check "$dir/b.tar"

# A directory's default ACL is that of what is made in it later, not of what an archive has there.
python3 - "$dir" <<'END'
import struct, sys, tarfile
acl = struct.pack('<I' + 5 * 'HHI', 2, 1, 7, 2**32 - 1, 2, 5, 33, 4, 5, 2**32 - 1, 16, 5, 2**32 - 1, 32, 5, 2**32 - 1)
with tarfile.open(sys.argv[1] + '/acl.tar', 'w', format=tarfile.PAX_FORMAT, encoding='utf-8') as tar:
    for name, type in ('d', b'5'), ('d/e', b'5'), ('d/f', b'0'):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = type, 0o755
        entry.pax_headers = {'SCHILY.xattr.system.posix_acl_default': acl.decode('utf-8', 'surrogateescape')} if name == 'd' else {}
        tar.addfile(entry)
END
if "$image" extract "$dir/acl.tar" "$dir/acl" 2>"$dir/refused"; then
    check 0 'd: system.posix_acl_default; d/e: ; d/f: ' \
        python3 -c 'import os, sys; print(*(n + ": " + " ".join(os.listxattr(sys.argv[1] + "/" + n)) for n in sys.argv[2:]), sep="; ")' \
        "$dir/acl" d d/e d/f
else
    echo '# the file system has no ACLs'
fi

# Attributes of users are kept; each other one is said, and the status tells.
python3 - "$dir" <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1] + '/x.tar', 'w', format=tarfile.PAX_FORMAT) as tar:
    for name, headers in ('kept', {'SCHILY.xattr.user.k': 'v'}), ('lost', {'SCHILY.acl.access': 'v'}):
        entry = tarfile.TarInfo(name)
        entry.pax_headers = headers
        tar.addfile(entry)
END
check 3 'entry 1 at offset 1536: attribute SCHILY.acl.access is lost' "$image" check "$dir/x.tar"
check 3 'kept: attribute user.k is lost' "$image" convert "$dir/x.tar" "$dir/x.cpio"
check 3 'attribute SCHILY' "$image" convert -f tar "$dir/x.tar" "$dir/y.tar"
check 0 'good: 2 names' "$image" check "$dir/y.tar"
if "$image" extract "$dir/y.tar" "$dir/y"; then
    check 0 'v' python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "user.k").decode())' "$dir/y/kept"
    check 0 '' "$image" pack -f tar "$dir/y" "$dir/z.tar"
    check 0 'SCHILY.xattr.user.k=v' strings "$dir/z.tar"
    # for the superuser only
    if python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.capability", bytes([1, 0, 0, 2]) + bytes(16))
os.setxattr(sys.argv[1], "trusted.t", b"v")' "$dir/y/kept" 2>"$dir/refused"; then
        check 0 '' "$image" pack -f tar "$dir/y" "$dir/z.tar"
        check 0 '' "$image" extract "$dir/z.tar" "$dir/x"
        check 0 'security.capability trusted.t user.k' \
            python3 -c 'import os, sys; print(*sorted(os.listxattr(sys.argv[1])))' "$dir/x/kept"
    fi
else # the file system of the temporary folder takes no attributes
    check 3 'kept: attribute user.k is lost' "$image" extract "$dir/y.tar" "$dir/z"
fi

# Ends of tar archives, by policy.
cat "$dir/a.tar" "$dir/x.tar" >"$dir/two.tar"
head -c -1024 "$dir/a.tar" >"$dir/endless.tar"
check 1 'the archive ends too early' "$image" check "$dir/endless.tar"
check 3 'the end mark is missing' "$image" check --policy lenient "$dir/endless.tar"
check 1 'bytes other than NUL between archives' "$image" check "$dir/two.tar"
check 3 'bytes other than NUL between archives' "$image" check -p lenient "$dir/two.tar"
check 3 'good: 7 names' "$image" check -c "$dir/two.tar"
check 2 'no such policy: loose' "$image" check -p loose "$dir/two.tar"

# Compressed archives: parts of every kind, alone and mixed, make the tree of the archive that was packed.
# same ARCHIVE WANTED OPTION...: both make the same tree, to the last byte and attribute.
same()
{
    archive=$1 wanted=$2
    shift 2
    "$image" convert "$@" "$wanted" "$dir/wanted" && "$image" convert "$@" "$archive" "$dir/found" &&
        cmp "$dir/wanted" "$dir/found"
}

mkdir "$dir/early" && echo code >"$dir/early/microcode" && "$image" pack "$dir/early" "$dir/early.cpio"
mkdir "$dir/main" && seq 100000 >"$dir/main/seq" && head -c 9000000 /dev/zero >"$dir/main/zeros"
head -c 700000 /dev/urandom >"$dir/main/random" && ln -s seq "$dir/main/link"
"$image" pack "$dir/main" "$dir/main.cpio" && "$image" pack -f tar "$dir/main" "$dir/main.tar"
truncate -s %512 "$dir/early.cpio" "$dir/main.cpio"
early=$(wc -c <"$dir/early.cpio")
cat "$dir/early.cpio" "$dir/main.cpio" >"$dir/both"
cat "$dir/early.cpio" "$dir/main.cpio" "$dir/early.cpio" >"$dir/three"
cat "$dir/main.cpio" "$dir/main.cpio" >"$dir/twice"
while read -r name library package command; do
    part=$dir/part.$name
    case " $missing " in
    *" $library "*) absent="$library was not found" ;;
    *) absent='' ;;
    esac
    command -v "${command%% *}" >/dev/null || absent="${command%% *} is not installed (Debian package $package)"
    if [ -n "$absent" ]; then
        count=$((count + 1))
        echo "ok $count - $name # SKIP $absent"
        continue
    fi
    # shellcheck disable=SC2086 # a command and its options
    $command -c <"$dir/main.cpio" >"$part" && $command -c <"$dir/main.tar" >"$dir/tar.$name"
    size=$(wc -c <"$part")
    cat "$dir/early.cpio" "$part" >"$dir/mixed"
    check 0 '' same "$part" "$dir/main.cpio"
    check 0 '' same "$dir/tar.$name" "$dir/main.tar"
    check 0 '' same "$dir/mixed" "$dir/both"
    check 0 '' same "$dir/mixed" "$dir/both" --policy linux
    # shellcheck disable=SC2016 # the inner shell expands them
    check 0 'good: 4 names' sh -c '"$1" check - <"$2"' - "$image" "$part"
    { cat "$dir/early.cpio" "$part" && head -c $((8 - size % 4)) /dev/zero && cat "$dir/early.cpio"; } >"$dir/mixed"
    check 0 '' same "$dir/mixed" "$dir/three" --policy linux
    { cat "$part" && head -c 5 /dev/zero && cat "$part"; } >"$dir/mixed"
    check 0 '' same "$dir/mixed" "$dir/twice" --policy linux
    # Cut and damaged parts. In the middle of lz4 damage may be some other contents: it has no checksums.
    for cut in 1 4 9 700100; do
        { cat "$dir/early.cpio" && head -c -$cut "$part"; } >"$dir/mixed"
        check 1 "mixed: offset $early: $name: it ends too early (EINVAL)" "$image" check "$dir/mixed"
    done
    for at in 8 $((size / 8)); do
        [ "$name" != lz4 ] || [ "$at" = 8 ] || continue
        { head -c "$at" "$part" && printf '\0' && head -c 599 /dev/zero | tr '\0' '\377' &&
            tail -c +$((at + 601)) "$part"; } >"$dir/damaged"
        check 1 "damaged: offset 0: $name: damaged (EINVAL)" "$image" list "$dir/damaged"
        cat "$dir/early.cpio" "$dir/damaged" >"$dir/mixed"
        check 1 "mixed: offset $early: $name: damaged (EINVAL)" "$image" extract "$dir/mixed" "$dir/nothing"
        check 1 ' microcode' "$image" list --policy linux "$dir/mixed"
    done
    check 1 "mixed: offset $early: $name: compressed: it must be unpacked first (EINVAL)" "$without" check "$dir/mixed"
    head -c 2000000 "$dir/main.cpio" >"$dir/half"
    # shellcheck disable=SC2086
    { $command -c <"$dir/half" && tail -c +2000001 "$dir/main.cpio" | $command -c; } >"$dir/mixed"
    if [ "$name" = lz4 ]; then # the magic goes on with the part
        check 0 '' same "$dir/mixed" "$dir/main.cpio"
    else
        check 1 "mixed: offset 0: $name: an entry does not end with it (EINVAL)" "$image" check "$dir/mixed"
    fi
done <<'END'
gzip zlib gzip gzip
bzip2 bz2 bzip2 bzip2
xz lzma xz-utils xz -1
lzma lzma xz-utils xz --format=lzma --lzma1=dict=4KiB
zstd zstd zstd zstd -q
lz4 lz4 lz4 lz4 -q -l
lzo lzo2 lzop lzop
END

# What unpacks to more than a limit is refused, and takes no more memory than that.
mkdir "$dir/bomb" && head -c 9000000 /dev/zero >"$dir/bomb/zeros" && "$image" pack "$dir/bomb" "$dir/bomb.cpio"
check 0 'good: 1 names' "$image" check --size 9003008 "$dir/bomb.cpio"
check 1 'zeros" at offset 112: no space or no memory left (ENOSPC)' "$image" check --size 9000000 "$dir/bomb.cpio"
if [ -z "$missing" ]; then
    gzip <"$dir/bomb.cpio" >"$dir/mixed"
    check 1 'no space or no memory left (ENOSPC), in the gzip part' \
        sh -c 'ulimit -v 15000 && "$@"' - "$image" list -s 1000000 "$dir/mixed"
    check 1 'no space or no memory left' "$image" extract -s 40000 "$dir/mixed" "$dir/nothing"
fi
# The other commands have such limits too, with and without options: a range that would not fit is refused before memory is
# asked for.
check 2 'zeros" at offset 112: no space or no memory left (ENOSPC)' "$sh" --pages 2197 --image "$dir/bomb.cpio" -c 'ls .'
check 0 'ls . = zeros' "$sh" --pages 2198 --image "$dir/bomb.cpio" -c 'ls .'
memory=$(($(getconf _PHYS_PAGES) * $(getconf PAGESIZE) / 2))
# shellcheck disable=SC2016 # the inner shell expands it
check 0 ' = ENOSPC' sh -c 'ulimit -v 200000 && "$@"' - "$sh" \
    -c "open 0 f RDWR|CREAT 0644; fallocate 0 0 0 $((memory + 4096))"
for size in 0 -1 1k 99999999999999999999 ''; do
    check 2 "not a size: $size" "$image" check -s "$size" "$dir/bomb.cpio"
done

# As for Linux, lz4 ends with the file or NULs.
if [ -f "$dir/part.lz4" ]; then
    cat "$dir/part.lz4" "$dir/early.cpio" >"$dir/mixed"
    check 1 'offset 0: lz4: damaged (EINVAL)' "$image" check "$dir/mixed"
    cat "$dir/part.lz4" "$dir/part.lz4" >"$dir/mixed"
    check 0 '' same "$dir/mixed" "$dir/twice" --policy linux
fi

# A tar archive may be cut anywhere for parallel compressors; one that has a name like a magic is itself.
if [ -z "$missing" ]; then
    { head -c 100001 "$dir/main.tar" | gzip && tail -c +100002 "$dir/main.tar" | gzip; } >"$dir/mixed"
    check 0 '' same "$dir/mixed" "$dir/main.tar"
    { cat "$dir/tar.gzip" && echo junk; } >"$dir/mixed"
    check 1 'bytes other than NUL between archives' "$image" check "$dir/mixed"
    { cat "$dir/early.cpio" && { cat "$dir/main.cpio" && head -c 200 /dev/zero | tr '\0' j; } | gzip; } >"$dir/mixed"
    check 1 "no header where one must be (EINVAL), in the gzip part at offset $early" \
        "$image" check "$dir/mixed"
    # pzstd writes a frame without contents, which says the size of the next one, before each.
    skip() { printf 'P*M\030\003\0\0\0abc'; }
    { skip && head -c 100001 "$dir/main.tar" | zstd -q && skip && tail -c +100002 "$dir/main.tar" | zstd -q; } >"$dir/mixed"
    check 0 '' same "$dir/mixed" "$dir/main.tar"
    { cat "$dir/part.zstd" && skip | head -c 10; } >"$dir/mixed"
    check 1 "offset $(wc -c <"$dir/part.zstd"): zstd: it ends too early (EINVAL)" "$image" check "$dir/mixed"
    gzip -c "$dir/part.gzip" >"$dir/mixed"
    check 1 'offset 0: gzip: compressed: it must be unpacked first' "$image" check "$dir/mixed"
    check 1 'good.ops: entry 0 at offset 0: ' "$image" check "$dir/good.ops"
fi
printf '\004\042\115\030 the form of lz4 that Linux does not read' >"$dir/mixed"
check 1 'offset 0: lz4: compressed: it must be unpacked first' "$image" check "$dir/mixed"
for name in ']' BZh; do
    : >"$dir/early/$name"
    tar -C "$dir/early" --format=v7 -cf "$dir/named.tar" "$name"
    check 0 'good: 1 names' "$image" check "$dir/named.tar"
done

if [ -n "$fuse" ]; then
    check 0 'usage: vfs-fuse' "$fuse" -h
    check 0 'vfs-fuse ' "$fuse" -V
    check 2 'no mount point' "$fuse"
    check 2 'not libvfs, kernel or both' "$fuse" -o checks=nobody "$dir"
    check 2 'not a mode' "$fuse" -o mode=77777 "$dir"
    check 1 'No such file' "$fuse" -f --image="$dir/none" "$dir"
    check 1 'cut: entry ' "$fuse" -f --image="$dir/cut" "$dir"
    check 2 'bad mount point' "$fuse" -f "$dir/good.ops/none"
fi
echo "1..$count"
[ "$failed" = 0 ]
