#!/bin/sh
# table.sh BUILD [ROUNDS [PATTERN]]: HAKMEM beside glibc and the other allocators that are installed;
# with a pattern of the shell only the workloads whose title it matches, such as 'ws=*'.
#
# One program, the allocators by LD_PRELOAD, run in turn: each round runs all of them, so that
# what the machine does meanwhile meets them alike. Printed is the median over the rounds of the
# ratio of operations per CPU-second to glibc in the same round, with the interval that holds the
# median with 95 % (binomial; below six rounds it is the whole range), and peak memory.
set -eu
build=$1
rounds=${2:-9}
pattern=${3:-*}
bench=$build/bench
libs=/usr/lib/$(uname -m)-linux-gnu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

arms="glibc: hakmem:$build/lib/libhakmem.so"
for other in mimalloc:libmimalloc.so.2 jemalloc:libjemalloc.so.2 tcmalloc:libtcmalloc_minimal.so.4
do
    if [ -e "$libs/${other#*:}" ]; then arms="$arms ${other%%:*}:$libs/${other#*:}"; fi
done

# field NAME FILE: a number of the flat JSON object that the programs write
field() {
    sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$2"
}

# one PROGRAM LIBRARY ARGS...: operations per CPU-second and KiB at the peak
one() {
    program=$1 library=$2
    shift 2
    LD_PRELOAD=$library "$bench/${program}_system" "$@" --json "$work/json" >/dev/null
    sed 's/"warm":{[^}]*}/"warm":0/; s/"steady":{[^}]*}/"steady":0/' "$work/json" >"$work/flat"
    echo "$(field operations "$work/flat") $(field cpu_s "$work/flat")" \
         "$(field peak_rss_kib "$work/flat")" | awk '{print $1 / $2, $3}'
}

# row TITLE PROGRAM ARGS...
row() {
    title=$1 program=$2
    shift 2
    # shellcheck disable=SC2254 # it is a pattern
    case $title in $pattern) ;; *) return ;; esac
    for round in $(seq "$rounds"); do
        for arm in $arms; do
            one "$program" "${arm#*:}" "$@" >>"$work/${arm%%:*}"
        done
    done
    printf '%-22s' "$title"
    for arm in $arms; do
        paste "$work/glibc" "$work/${arm%%:*}" | awk '{print $3 / $1, $3, $4}' | sort -n |
            awk -v base="${arm%%:*}" '{r[NR] = $1; v[NR] = $2; k[NR] = $3}
            END {
                lo = 1; c = 0.5 ^ NR; p = c
                while (2 * p <= 0.05) { c = c * (NR - lo + 1) / lo; p += c; if (2 * p <= 0.05) lo++; else break }
                m = int((NR + 1) / 2)
                if (base == "glibc") printf " %6.1f M/s %5.1f MiB", v[m] / 1e6, k[m] / 1024
                else printf " | %5.2f [%.2f, %.2f] %6.1f", r[m], r[lo], r[NR + 1 - lo], k[m] / 1024
            }'
    done
    printf '\n'
    rm -f "$work"/[a-z]*
}

printf 'Operations per CPU-second as a ratio to glibc, median of %s rounds [95 %%], peak MiB\n' \
       "$rounds"
printf '%-22s %-20s' workload glibc
for arm in $arms; do
    if [ "${arm%%:*}" != glibc ]; then printf ' | %-25s' "${arm%%:*}"; fi
done
printf '\n'
row 'ws=400'               bench_random_mixed 3000000 400
row 'ws=8192'              bench_random_mixed 3000000 8192
row 'ws=65536'             bench_random_mixed 3000000 65536
row '2-32 KiB'             bench_mid 500000 1000
row '2 KiB-2 MiB'          bench_mid 100000 400 42 2048 2097152
row '2 threads, 20% remote' bench_mt 1000000 1000 42 2 20
row '2 threads, 90% remote' bench_mt 1000000 1000 42 2 90
row 'larson'               bench_larson 100000 1000 42 2 5
row 'realloc'              bench_realloc 100000
