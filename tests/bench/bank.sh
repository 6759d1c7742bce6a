#!/bin/sh
# bank.sh RESULT...: the pairs of result documents as the bank that tests/bench/test_bank.c draws
# from. One line each run: the workload's name, then ln(head/base) of the steady throughput of every
# pair in units of 1e-6, in their order; pair k ran in code layout k modulo 64. Only runs of commits
# without effect belong into it.
set -eu
for result; do
    jq -r '.workloads[] | select(.status == "measured")
        | [.name, (([.samples[] | select(.metric == "throughput")]
            | (map(select(.arm == "head"))[0].values) as $head
            | (map(select(.arm == "base"))[0].values) as $base
            | range($head | length)
            | (($head[.] / $base[.] | log) * 1e6 | round)))] | join(" ")' "$result"
done
