# The table of measurement.sh: STATE/plants, then STATE/runs.tsv.
BEGIN { FS = "\t" }

# P(at most k of n) at rate p
function below(k, n, p,    i, term, sum) {
    if (p <= 0) return 1
    if (p >= 1) return k >= n
    sum = 0
    for (i = 0; i <= k; i++) {
        term = lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1)
        sum += exp(term + i * log(p) + (n - i) * log(1 - p))
    }
    return sum
}

function lgamma(x,    i, sum) {
    sum = 0
    for (i = 2; i < x; i++) sum += log(i)
    return sum
}

# One-sided 95 % bounds of Clopper and Pearson.
function upper(k, n,    a, b, m, i) {
    if (k >= n) return 1
    a = 0; b = 1
    for (i = 0; i < 60; i++) { m = (a + b) / 2; if (below(k, n, m) > 0.05) a = m; else b = m }
    return b
}

function lower(k, n) { return 1 - upper(n - k, n) }

# What was planted in runs of this kind; "" where nothing was.
function plant_of(kind) { return kind in planted ? planted[kind] : "" }

FILENAME == ARGV[1] { planted[$1] = $2; next }

{
    kind = $1
    if (!(kind in n)) order[++kinds] = kind
    n[kind]++
    if ($3 == "regressed" || $3 == "improved") called[kind]++
    if ($3 == "regressed") found[kind]++
    if ($3 == "equivalent") same[kind]++
    if ($3 == "failed") failed[kind]++
    if ($9 <= 20) quick[kind]++
    if ($3 != "failed") {
        truth = log(1 - plant_of(kind))
        if ($6 <= truth && truth <= $7) inside[kind]++
    }
    split(kind, part, "/")
    if (part[1] == "aa" || part[1] == "noop") {
        nulls[part[2]]++
        alarms[part[2]] += $3 == "regressed" || $3 == "improved"
        if (part[2] == "quiet") {
            if (!($12 in of)) workload[++workloads] = $12
            of[$12]++
            equal[$12] += $3 == "equivalent"
            soon[$12] += $9 <= 20
            spent[$12] += $9
        }
    }
    seconds[kind] += $10
    if ($11 != "") { own += $11; owns++; if ($11 > most) most = $11 }
}

END {
    printf "%-12s %5s %9s %7s %6s %10s %8s %8s %9s\n", "kind", "runs", "planted", "found",
        "equal", "in interval", "failed", "<= 20 s", "s a run"
    for (i = 1; i <= kinds; i++) {
        kind = order[i]
        printf "%-12s %5d %9s %7d %6d %10d %8d %8d %9.1f\n", kind, n[kind],
            plant_of(kind) == "" ? "0" : sprintf("-%.2f %%", 100 * plant_of(kind)), called[kind],
            same[kind], inside[kind], failed[kind], quick[kind], seconds[kind] / n[kind]
    }
    print ""
    if (workloads)
        printf "%-20s %5s %6s %8s %14s   without effect, quiet\n", "workload", "runs", "equal",
            "<= 20 s", "s to verdict"
    for (i = 1; i <= workloads; i++) {
        name = workload[i]
        printf "%-20s %5d %6d %8d %14.1f\n", name, of[name], equal[name], soon[name],
            spent[name] / of[name]
    }
    print ""
    if (owns)
        printf "CPU time of the runner itself, of that of its samples: %.1f %% (%.1f %% at most)\n",
            100 * own / owns, 100 * most
    for (where in nulls)
        printf "false alarms, %s: %d of %d, so below %.2f %% (95 %%)\n", where, alarms[where],
            nulls[where], 100 * upper(alarms[where], nulls[where])
    for (i = 1; i <= kinds; i++) {
        kind = order[i]
        if (plant_of(kind) != "")
            printf "%s at -%.2f %%: %d of %d found, so above %.1f %% (95 %%)\n", kind,
                100 * plant_of(kind), found[kind], n[kind], 100 * lower(found[kind], n[kind])
    }
}
