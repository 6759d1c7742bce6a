#!/bin/sh
# measurement.sh STATE [RUNS] [HOURS]: what the measuring engine finds, and what it imagines.
#
# Every run is one whole `hakperf-runner measure` on a clone of this repository, of the suite's first
# workloads, WORKLOADS of them (default 2); each workload counts as a run of its own:
#   aa        a constant nobody reads was added: the code is the same
#   noop      a function nobody calls was added to the file of the hot path
# or of the one whose samples cost least:
#   power/N   a loop in malloc goes round a few times more, for N thousandths of a per cent of CPU
#             time, calibrated on this machine; head and base differ in one constant of data
#   edited/N  the same, and the rest of malloc moves by half a cache line; what that does to it is
#             calibrated too
# each on a quiet machine, and aa and noop also with a neighbour that burns another CPU ("other")
# and one that burns the measuring CPU half of the time ("same").
#
# Beside them: how much CPU time the runner itself takes, of that of the samples, and what each
# workload says of a commit without effect on a quiet machine.
#
# STATE/runs.tsv gets a line as each run ends; started again it goes on behind the last, if nothing in
# this script has changed. RUNS is how many runs each kind shall have in the end (default 20), HOURS
# when to stop (default 1). KINDS names those to run, all if it is empty. What was counted is printed
# with the exact 95 % bound (Clopper and Pearson) that the count proves.
#
# Started with one CPU allowed (taskset) it measures on that one. Two of them on two CPUs that share a
# cache disturb each other more than they gain.
set -eu
state=$1 runs=${2:-20} hours=${3:-1}
here=$(cd "$(dirname "$0")/../.." && pwd)
runner=${BUILD:-$here/build}/bin/hakperf-runner
end=$(awk -v now="$(date +%s)" -v h="$hours" 'BEGIN {printf "%d", now + 3600 * h}')
log=$state/runs.tsv
repo=$state/repository
neighbour=
ROUNDS=200 # of the base

finish() {
    if [ -n "$neighbour" ]; then kill "$neighbour" 2>/dev/null || true; fi
    neighbour=
}
trap finish EXIT
trap 'exit 130' INT TERM

commit() {
    git -C "$repo" -c user.name=bench -c user.email=bench@example.org commit -qam "$1"
    git -C "$repo" rev-parse HEAD
}

# plant ROUNDS [BYTES]: a commit whose malloc goes round so often at each 64th call, behind so many
# bytes of instructions that do nothing (x86-64; a fiftieth of a cycle a call)
plant() {
    move=${2:+"__asm__ volatile(\".nops $2\");"}
    git -C "$repo" checkout -q "$(cat "$state/start")"
    sed -i -e '/^EXPORT void \*hak_malloc(size_t size)/,/^}/s|^    void \*p = NULL;|&\
    static unsigned calls;\
    if ((++calls \& 63) == 0) {\
        '"$move"'\
        for (unsigned n = rounds; n > 0; n--)\
            __asm__ volatile("");\
    }|' \
        -e "s|^EXPORT void \*hak_malloc(size_t size)|static const volatile unsigned rounds = $1;\n\n&|" \
        "$repo/allocator/src/malloc.c"
    commit "malloc goes round $1 times behind ${2:-0} bytes"
}

# edit KIND N: a commit without effect
edit() {
    git -C "$repo" checkout -q "$(cat "$state/start")"
    # Exported, or the linker would leave it out.
    kept='__attribute__((visibility("default")))'
    if [ "$1" = aa ]; then
        printf 'extern const int unread_%s;\n%s const int unread_%s = %s;\n' "$2" "$kept" "$2" "$2"
    else
        printf 'int uncalled_%s(int x);\n%s int uncalled_%s(int x)\n{\n    return x * %s;\n}\n' \
            "$2" "$kept" "$2" "$2"
    fi >>"$repo/allocator/src/malloc.c"
    commit "$1 $2"
}

prepare() {
    mkdir -p "$state"
    if [ ! -s "$state/start" ]; then
        git clone -q "$here" "$repo"
        cp "$0" "$state/measurement.sh"
        git -C "$repo" rev-parse HEAD >"$state/start.tmp"
        mv "$state/start.tmp" "$state/start"
    elif ! cmp -s "$0" "$state/measurement.sh"; then
        # What it counted so far may have been planted in another way.
        echo "measurement.sh: $state was begun by another version of this script; name another" >&2
        exit 2
    fi
    jq --argjson n "${WORKLOADS:-2}" '
        .workloads |= (.[:$n] | map(.headline_iterations |= ([., 1000000] | min)))
        | del(.recipe.coverage)' "$here/deploy/suites/hakmem.json" >"$state/suite.json"
    # The runner becomes user hakperf where it was started as root.
    mkdir -p "$state/runner"
    if [ "$(id -u)" = 0 ]; then chown -R hakperf "$state/runner"; fi
    touch "$log" "$state/plants"
    hot=$(jq -r '.workloads[1].name' "$state/suite.json")
}

# Of each workload, from the last build or the verdict before to its verdict, the headline figure with
# it: a JSON array of seconds.
sampling_seconds() {
    sed -n -e 's/^\([^ ]*\) info [^ ]* [a-z]*: built.*/\1 built/p' \
        -e 's/^\([^ ]*\) [a-z]* [^ ]* workload .*/\1 decided/p' "$state/last.log" |
        while read -r at what; do echo "$(date -d "$at" +%s.%N) $what"; done |
        awk '$2 == "decided" {printf "%s%.2f", sep, $1 - last; sep = ","} {last = $1}
            BEGIN {printf "["} END {print "]"}'
}

# Each second, until it is killed or this script ends: what runners and their launchers of samples
# used themselves and what their samples used, in ticks of CPU time.
watch_cpu() {
    while [ -e /proc/$$ ]; do
        for process in /proc/[0-9]*; do
            name='' who=''
            read -r name 2>/dev/null <"$process/comm" || true
            case $name in
            hakperf-runner) who=runner ;;
            launcher)
                case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
                *"launch samples"*) who=launcher ;;
                esac
                ;;
            esac
            if [ -n "$who" ]; then
                awk -v who="$who" '{print $1, who, $14 + $15, $16 + $17}' "$process/stat" 2>/dev/null ||
                    true
            fi
        done
        sleep 1
    done >"$state/cpu"
}

# The last of each: by the runner itself, as a share of the samples.
own_share() {
    awk '{own[$1] = $3; if ($2 == "launcher") samples[$1] = $4}
        END {
            for (p in own) sum += own[p]
            for (p in samples) all += samples[p]
            printf "%.4f", (all > 0) ? sum / all : 0
        }' "$state/cpu"
}

# measure HEAD BASE [OPTION...]: for each workload a line "verdict size estimate low high pairs seconds
# all_seconds own_share workload", or "failed" in place of the verdict
measure() {
    head=$1 base=$2
    shift 2
    begin=$(date +%s.%N)
    code=0
    watch_cpu &
    watcher=$!
    # Exit code 1 is a regression that was found, 3 no answer.
    "$runner" measure --state "$state/runner" --repository "$repo" --suite "$state/suite.json" \
        --head "$head" --base "$base" --driver "$(cat "$state/start")" --passes 1 "$@" \
        -o "$state/result.json" 2>"$state/last.log" || code=$?
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
    if [ "$code" != 0 ] && [ "$code" != 1 ] && [ "$code" != 3 ]; then
        cat "$state/last.log" >&2
        exit "$code"
    fi
    jq -r --argjson t "$(sampling_seconds)" --arg o "$(own_share)" --arg s "$begin" --arg e "$(date +%s.%N)" '
        (.workloads | length) as $n | .workloads | to_entries[] | .key as $i | .value
        | .name as $name | .decision as $d
        | if $d == null then ["failed", "-", 0, 0, 0, 0] else
          [$d.verdict, ($d.size // "-"), $d.estimate, $d.low, $d.high, $d.pairs] end
          + [$t[$i] // 0, (($e | tonumber) - ($s | tonumber)) / $n, ($o | tonumber), $name]
        | @tsv' "$state/result.json"
}

count() { awk -F '\t' -v k="$1" '$1 == k {n++} END {print n + 0}' "$log"; }
wanted() {
    case " ${KINDS:-$1} " in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}
wants_plants() {
    for kind in $quiet; do
        case $kind in
        power/* | edited/*) if wanted "$kind"; then return 0; fi ;;
        esac
    done
    return 1
}
more() { wanted "$1" && [ "$(date +%s)" -lt "$end" ] && [ "$(count "$1")" -lt "$runs" ]; }

# record KIND TRUTH HEAD BASE [OPTION...]
record() {
    kind=$1 truth=$2
    shift 2
    measure "$@" >"$state/lines"
    sed "s|^|$kind\t$truth\t|" "$state/lines" | tee -a "$log" >&2
}

# once KIND TRUTH: one run of a kind
once() {
    case $1 in
    power/* | edited/*)
        record "$1" "$2" "$(cat "$state/plant.${1%/*}.$2")" "$(cat "$state/plant.0")" --workload "$hot"
        ;;
    *)
        head=$(edit "${1%%/*}" "$(($(count "$1") + 2))")
        record "$1" 0 "$head" "$(cat "$state/start")"
        ;;
    esac
}

burn_other() { taskset -c 0 sh -c 'while :; do :; done' & neighbour=$!; }
burn_same() {
    # half of the time: as long asleep as it burns, in stretches of 50 ms
    taskset -c "$(($(nproc) - 1))" python3 -c '
import time
while True:
    end = time.monotonic() + .05
    while time.monotonic() < end:
        pass
    time.sleep(.05)' &
    neighbour=$!
}

# middle_of N HEAD: the middle one of what N runs against plant.0 say of it, ln(head/base)
middle_of() {
    for _ in $(seq "$1"); do
        measure "$2" "$(cat "$state/plant.0")" --workload "$hot"
    done | tee -a "$state/calibration" | cut -f 3 | sort -g | sed -n "$((($1 + 1) / 2))p"
}

# By CPU time, how much slower malloc becomes by a round, and by whatever else comes with it, where it
# stands and moved. The loop of the base is long, so that the CPU does not foresee its end: it seemed to
# at 40 rounds and not at 55, and what 15 rounds cost was half as much again.
calibrate() {
    if [ -s "$state/plants" ] || ! wants_plants; then return; fi
    plant $ROUNDS >"$state/plant.0"
    # A change so large that the noise hardly matters for the slope.
    per_round=$(middle_of 3 "$(plant $((ROUNDS + 2000)))" | awk '{printf "%.9f", (exp(-$1) - 1) / 2000}')
    if ! awk -v p="$per_round" 'BEGIN {exit !(p > 0)}'; then
        echo "measurement.sh: the planted loop costs nothing" >&2
        cat "$state/calibration" >&2
        exit 1
    fi
    for way in power edited; do
        bytes= sizes="300 1000 5000"
        if [ "$way" = edited ]; then bytes=40 sizes=500; fi
        besides=$(middle_of 5 "$(plant $((ROUNDS + 15)) $bytes)" |
            awk -v p="$per_round" '{printf "%.6f", exp(-$1) - 1 - 15 * p}')
        if [ -z "$besides" ]; then exit 1; fi # it said why
        for effect in $sizes; do
            more=$(awk -v e="$effect" -v p="$per_round" -v b="$besides" \
                'BEGIN {r = (e / 100000 - b) / p; printf "%d", (r > 1 ? r : 1) + 0.5}')
            plant $((ROUNDS + more)) $bytes >"$state/plant.$way.$effect"
            # What was planted is what the constant came to, not what was wished.
            awk -v r="$more" -v p="$per_round" -v b="$besides" -v k="$way/$effect" \
                'BEGIN {printf "%s\t%.5f\n", k, r * p + b}'
        done
    done >"$state/plants.tmp"
    mv "$state/plants.tmp" "$state/plants"
}

quiet="aa/quiet noop/quiet power/300 edited/500 power/1000 power/5000"
beside="aa/other noop/other aa/same noop/same"
for kind in ${KINDS:-}; do
    case " $quiet $beside " in
    *" $kind "*) ;;
    *)
        echo "measurement.sh: KINDS: there is no '$kind'; there are $quiet $beside" >&2
        exit 2
        ;;
    esac
done
case ${WORKLOADS:-2} in
[1-9]) ;;
*)
    echo "measurement.sh: WORKLOADS: '$WORKLOADS' is no number from 1 to 9" >&2
    exit 2
    ;;
esac
prepare
calibrate
for _ in $(seq "$runs"); do
    for kind in $quiet; do
        if more "$kind"; then once "$kind" "${kind#*/}"; fi
    done
    for kind in $beside; do
        if ! more "$kind"; then continue; fi
        "burn_${kind#*/}"
        once "$kind" 0
        finish
    done
done
awk -f "$here/tests/bench/measurement.awk" "$state/plants" "$log"
