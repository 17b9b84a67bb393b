#!/bin/sh
# A target as the driver sees it, without a fuzzer. What it does depends on its name: fuzz_good finds a new input at
# each start, fuzz_crash also two that crash, fuzz_flaky one that crashes every other time, fuzz_broken cannot start, and fuzz_gone
# is there only once.
name=${0##*/} prefix='' small='' runs='' time=1 mode=fuzz file='' folder='' seed=0
for word in "$@"; do
    case $word in
    -artifact_prefix=*) prefix=${word#*=} ;;
    -exact_artifact_path=*) small=${word#*=} ;;
    -runs=*) runs=${word#*=} ;;
    -max_total_time=*) time=${word#*=} ;;
    -seed=*) seed=${word#*=} ;;
    -minimize_crash=1) mode=shrink ;;
    -merge=1) mode=merge ;;
    -*) ;;
    *) if [ -d "$word" ]; then folder=${folder:-$word} from=$word; else file=$word; fi ;;
    esac
done
report() {
    cat >&2 <<REPORT
==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014 at pc 0x1
    #0 0x4f in __asan_memcpy asan.cpp:22
    #1 0x50 in $1 /src/parse.c:10:3
    #2 0x51 in parse /src/parse.c:20:5

    #0 0x60 in malloc asan.cpp:1
REPORT
    exit 77
}
[ "$name" != fuzz_broken ] || { echo 'no such option' >&2; exit 1; }
case $mode in
shrink)
    printf 'one' >"$small"
    exit 0 ;;
merge)
    cp "$from"/keep* "$folder"
    exit 0 ;;
esac
if [ -n "$file" ]; then
    grep -q one "$file" && report take_one
    grep -q two "$file" && report take_two
    if grep -q flaky "$file"; then
        [ -e "$0.odd" ] || { : >"$0.odd"; report take_flaky; }
        rm "$0.odd"
    fi
    exit 0
fi
echo "args: $*" >>"$0.log"
# shellcheck disable=SC2317 # runs on a signal
trap 'echo stopped >>"$0.log"; exit 72' INT
echo "#2	INITED cov: 10 ft: 20 corp: 1/1b exec/s: 0 rss: 30Mb" >&2
echo "keep $seed" >"$folder/keep-$seed"
echo "#50	NEW    cov: 11 ft: 25 corp: 2/5b lim: 4 exec/s: 500 rss: 30Mb L: 4/4 MS: 1 ChangeBit-" >&2
case $name in
fuzz_crash) echo "one and $seed" >"${prefix}crash-1"; echo two >"${prefix}crash-2"; exit 77 ;;
fuzz_flaky) echo flaky >"${prefix}crash-1"; exit 77 ;;
fuzz_gone) rm "$0" ;;
esac
[ -n "$runs" ] || for _ in $(seq $((time * 20))); do sleep 0.05; done
echo "stat::number_of_executed_units: ${runs:-100}" >&2
