#!/bin/sh
# fresh.sh SEEDS CORPUS: what the cases make is in the corpus; more may be there, as the fuzzers found it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work/seeds"
stale=0
for seed in "$work"/seeds/*; do
    cmp -s "$seed" "$2/${seed##*/}" || { echo "not in the corpus, or different: ${seed##*/}"; stale=1; }
done
[ "$stale" = 0 ] || { echo "to make it: $1 $2"; exit 1; }
