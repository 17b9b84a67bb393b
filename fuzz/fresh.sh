#!/bin/sh
# fresh.sh SOURCE_FOLDER SCRATCH_FOLDER RUNS TARGET CORPUS_FOLDER...: fuzzes for a fixed number of runs from a
# committed corpus. What is found goes to the scratch folder. The seed is that of the commit, so that it
# changes from commit to commit and a run can be repeated; FUZZ_SEED in the environment replaces it.
set -eu
source=$1 scratch=$2 runs=$3 target=$4
shift 4
commit=$(git -C "$source" rev-parse --short=7 HEAD 2>/dev/null) || commit=0000001
commit=$(printf %.7s "$commit")
seed=${FUZZ_SEED:-$(printf %d "0x$commit")}
rm -rf "$scratch"
mkdir -p "$scratch/new" "$scratch/crash"
echo "seed $seed (commit $commit), $runs runs"
"$target" -runs="$runs" -seed="$seed" -timeout=200 -artifact_prefix="$scratch/crash/" -print_final_stats=1 "$scratch/new" "$@" \
    >"$scratch/log" 2>&1 || {
    grep -v '^#' "$scratch/log" | tail -60
    echo "the input is in $scratch/crash; to repeat: FUZZ_SEED=$seed"
    exit 1
}
tail -12 "$scratch/log"
# The fuzzer says so when it did all runs.
grep -q '^Done ' "$scratch/log"
