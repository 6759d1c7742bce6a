#!/bin/sh
# That COVERAGE=1 leaves what gcov reads, and that CANARY=N slows down by a constant alone and by
# about what it says. Usage: builds.sh BUILD SOURCE
set -eu
build=$1 source=$2
work=$build/builds
driver=$build/bench/bench_random_mixed_system
rm -rf "$work" && mkdir -p "$work"
fail() {
    echo "builds: $*" >&2
    exit 1
}
make_library() { # NAME VARIABLE=VALUE
    make -s -C "$source" BUILD="$work/$1" "$2" "$work/$1/lib/libhakmem.so" >"$work/log" 2>&1 ||
        { cat "$work/log"; fail "$2 does not build"; }
}

# --- coverage: what ran is told from what did not, by the paths of the source tree
make_library coverage COVERAGE=1
[ -n "$(find "$work/coverage" -name '*.gcno')" ] || fail "no .gcno files"
LD_PRELOAD=$work/coverage/lib/libhakmem.so "$driver" 10000 400 >/dev/null
[ -n "$(find "$work/coverage" -name '*.gcda')" ] || fail "no .gcda files"
ran() { # FUNCTION FILE
    gcov --json-format --stdout "$(find "$work/coverage" -name "$2.gcno")" | jq -r --arg f "$1" --arg s "src/$2.c" '
        .current_working_directory as $d | .files[] | select(.file == $s or .file == $d + "/" + $s)
        | .functions[] | select(.name == $f) | .execution_count'
}
[ "$(ran hak_malloc malloc)" -ge 5000 ] || fail "hak_malloc was not counted"
[ "$(ran big_resize big)" -eq 0 ] || fail "big_resize was counted though nothing calls it"
address=$(nm "$work/coverage/lib/libhakmem.so" | awk '$3 == "hak_malloc" {print $1}')
case $(addr2line -e "$work/coverage/lib/libhakmem.so" "$address") in
"$source"/src/malloc.c:*) ;;
*) fail "the place of hak_malloc is not a path of the source tree" ;;
esac

# --- canary: one constant, and CPU time
code() {
    objdump -d --no-show-raw-insn "$work/$1/lib/libhakmem.so" | grep -v 'file format' >"$work/$1.code"
}
make_library canary2 CANARY=2
make_library canary20 CANARY=20
code canary2 && code canary20
[ "$(diff "$work/canary2.code" "$work/canary20.code" | grep -c '^[<>]')" -eq 2 ] ||
    fail "canary builds differ in more than one instruction"
cpu_s() { # LIBRARY
    LD_PRELOAD=$1 "$driver" 1000000 8192 42 --json /dev/fd/3 3>&1 >/dev/null | jq .steady.cpu_s
}
for i in $(seq 40); do
    echo "$(cpu_s "$build/lib/libhakmem.so") $(cpu_s "$work/canary20/lib/libhakmem.so")"
done | awk '{print $2 / $1}' | sort -n | awk '
    {r[NR] = $1}
    END {
        printf "builds: CANARY=20 costs %.1f %% of CPU time (%d pairs)\n", (r[NR / 2] - 1) * 100, NR
        exit !(r[NR / 2] > 1.1 && r[NR / 2] < 1.4)
    }' || fail "CANARY=20 is not about 20 %"
rm -rf "$work"
