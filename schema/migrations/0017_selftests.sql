-- The service tests itself: pairs of one build, which must not differ, and a planted slowdown, which
-- must be found.
SET LOCAL ROLE hakperf_owner;

CREATE VIEW store.selftest AS
SELECT u.repository, u.id AS run, u.kind, u.stored, w.name AS workload, k.verdict, k.size, k.estimate,
       k.low, k.high, k.detectable, k.pairs,
       CASE WHEN u.kind = 'canary'
            THEN (s.document #>> '{recipe,canary,slowdown}')::double precision END AS planted,
       CASE u.kind WHEN 'aa' THEN k.verdict NOT IN ('regressed', 'improved')
                   ELSE k.verdict = 'regressed' END AS passed
FROM store.run u
JOIN store.comparison k ON k.repository = u.repository AND k.run = u.id
JOIN store.metric t ON t.id = k.metric AND t.name = 'throughput'
JOIN store.workload w ON w.repository = k.repository AND w.id = k.workload
JOIN store.suite s ON s.repository = u.repository AND s.hash = u.suite_hash
WHERE u.kind IN ('aa', 'canary') AND u.status = 'measured' AND k.estimate IS NOT NULL;
COMMENT ON VIEW store.selftest IS 'One row a self-test and workload, and whether the service passed.';

CREATE VIEW hakperf.selftests AS
SELECT r.name AS repository,
       t.stored AS measured,
       t.kind AS test,
       t.workload,
       t.passed,
       t.verdict,
       round((100 * (exp(t.estimate) - 1))::numeric, 2) AS change_percent,
       round((100 * (exp(t.low) - 1))::numeric, 2) AS low_percent,
       round((100 * (exp(t.high) - 1))::numeric, 2) AS high_percent,
       round((100 * (exp(t.detectable) - 1))::numeric, 2) AS detectable_percent,
       round((-100 * t.planted)::numeric, 2) AS planted_percent,
       t.pairs,
       t.run
FROM store.selftest t
JOIN store.repository r ON r.id = t.repository
ORDER BY t.stored DESC, t.kind, t.workload;
COMMENT ON VIEW hakperf.selftests IS
    'The service''s tests of itself, newest first: aa are pairs of one build, where a difference is a false alarm; a canary has a planted slowdown that must be found.';
COMMENT ON COLUMN hakperf.selftests.detectable_percent IS 'what such a run would have shown nine times in ten';
COMMENT ON COLUMN hakperf.selftests.planted_percent IS 'about how much the canary was slowed down';
COMMENT ON COLUMN hakperf.selftests.repository IS 'whose commit was tested with';
COMMENT ON COLUMN hakperf.selftests.measured IS 'when the test''s run was stored';
COMMENT ON COLUMN hakperf.selftests.test IS 'aa (a build against itself) or canary (a planted slowdown)';
COMMENT ON COLUMN hakperf.selftests.workload IS 'name of the workload';
COMMENT ON COLUMN hakperf.selftests.passed IS 'whether equal builds came out alike, or the slowdown was found';
COMMENT ON COLUMN hakperf.selftests.verdict IS 'what the pairs said: regressed, improved, equivalent or inconclusive';
COMMENT ON COLUMN hakperf.selftests.change_percent IS 'change of throughput; negative is slower';
COMMENT ON COLUMN hakperf.selftests.low_percent IS 'the change is at least that';
COMMENT ON COLUMN hakperf.selftests.high_percent IS 'the change is at most that';
COMMENT ON COLUMN hakperf.selftests.pairs IS 'pairs that were measured';
COMMENT ON COLUMN hakperf.selftests.run IS 'the run';
