#!/bin/sh
# stress.sh DIRECTORY: the file-system stressors of stress-ng, each for a number of operations (not
# for a time) and with its own verification.
set -u
if ! command -v stress-ng >/dev/null; then
    echo 'skipped: stress-ng is not installed (Debian package stress-ng)'
    exit 77
fi

failed=
run=0
while read -r name operations options; do
    run=$((run + 1))
    # shellcheck disable=SC2086 # the options are words
    if ! stress-ng --temp-path "$1" --verify --quiet \
        "--$name" 1 "--$name-ops" "$operations" $options </dev/null; then
        failed="$failed $name"
    fi
done <<'END'
access 20
chdir 1 --chdir-dirs 64
chmod 100
chown 100
copy-file 10
dentry 500
dir 500
dirdeep 100
dirmany 500
fallocate 3 --fallocate-bytes 1m
fcntl 100
filename 30
flock 100
fsize 20
fstat 100
getdent 50
hdd 100 --hdd-bytes 4m
io 20
iomix 20 --iomix-bytes 4m
link 1
lockf 100
mknod 50
open 100
rename 300
seek 100 --seek-size 1m
symlink 1
sync-file 1 --sync-file-bytes 1m
touch 200
utime 300
xattr 1
END
if [ -n "$failed" ]; then
    echo "stressors failed:$failed"
    exit 1
fi
echo "$run stressors passed"
