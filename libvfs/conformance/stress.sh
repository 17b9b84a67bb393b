#!/bin/sh
# stress.sh DIRECTORY: the file-system stressors of stress-ng, each for a number of operations and
# with its own verification.
set -u
command -v stress-ng >/dev/null || { echo 'skipped: no stress-ng'; exit 77; }

failed=
while read -r name operations; do
    if ! stress-ng --temp-path "$1" --verify --quiet \
        "--$name" 1 "--$name-ops" "$operations" </dev/null; then
        failed="$failed $name"
    fi
done <<'END'
access 20
END
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
