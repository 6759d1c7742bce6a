-- What self-test $2 of repository $1 says: the workloads that a canary did not find (name, change, low,
-- high, what was planted), and of pairs of one build how many of the last 30 days differ; the metric.
SELECT t.workload, exp(t.estimate) - 1, exp(t.low) - 1, exp(t.high) - 1, t.planted, t.passed,
       (SELECT count(*) FROM store.selftest x
        WHERE x.repository = t.repository AND x.kind = 'aa' AND x.stored > now() - interval '30 days'),
       (SELECT count(*) FROM store.selftest x
        WHERE x.repository = t.repository AND x.kind = 'aa' AND x.stored > now() - interval '30 days'
          AND NOT x.passed), t.metric
FROM store.selftest t
WHERE t.repository = $1::integer AND t.run = $2::uuid
ORDER BY t.passed, abs(t.estimate) DESC, t.workload
