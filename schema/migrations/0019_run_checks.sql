-- The state of the machine when a run began, and what its pairs say about themselves: a run that
-- surprises is judged by them, and over the months they tell when a machine began to be shared.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.run ADD COLUMN preflight jsonb;
COMMENT ON COLUMN store.run.preflight IS
    'State of the machine when the run began (common/wire/result-v1.schema.json); NULL where nothing was measured.';

ALTER TABLE store.run_workload
    ADD COLUMN drift_p double precision,
    ADD COLUMN order_p double precision,
    ADD COLUMN wall_over_cpu double precision,
    ADD COLUMN repeated boolean;
COMMENT ON COLUMN store.run_workload.drift_p IS
    'Chance of so much drift of the pairs without any; below 1e-4 they are void.';
COMMENT ON COLUMN store.run_workload.order_p IS
    'Chance of so much difference between pairs by which arm ran first; below 1e-4 they are void.';
COMMENT ON COLUMN store.run_workload.wall_over_cpu IS
    'Median of wall by CPU time of the samples: above 1 others shared the CPU.';
COMMENT ON COLUMN store.run_workload.repeated IS 'Whether a first attempt was void and these are the second''s pairs.';

CREATE VIEW hakperf.run_checks AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS commit,
       w.name AS workload,
       x.drift_p,
       x.order_p,
       round(x.wall_over_cpu::numeric, 3) AS wall_over_cpu,
       x.repeated,
       u.runner,
       (u.preflight ->> 'load')::double precision AS load,
       round(100 * (u.preflight ->> 'steal_while_measuring')::numeric, 2) AS steal_percent,
       u.preflight ->> 'governor' AS governor,
       u.preflight ->> 'turbo' AS turbo,
       u.preflight ->> 'smt' AS smt,
       u.preflight ->> 'aslr' AS aslr,
       u.preflight ->> 'huge_pages' AS huge_pages,
       (u.preflight ->> 'temperature_c')::double precision AS temperature_c,
       u.id AS run
FROM store.run u
JOIN store.run_workload x ON x.repository = u.repository AND x.run = u.id
JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload
JOIN store.repository r ON r.id = u.repository
ORDER BY u.finished DESC, w.name;
COMMENT ON VIEW hakperf.run_checks IS
    'How far a run can be trusted: what its pairs say about themselves, and the state of the machine when it began. NULL: not readable on that machine, or not told by an older runner.';
COMMENT ON COLUMN hakperf.run_checks.repository IS 'whose commit was measured';
COMMENT ON COLUMN hakperf.run_checks.measured IS 'when the run ended';
COMMENT ON COLUMN hakperf.run_checks.commit IS 'the head, abbreviated';
COMMENT ON COLUMN hakperf.run_checks.workload IS 'name of the workload';
COMMENT ON COLUMN hakperf.run_checks.drift_p IS 'chance of so much drift of the pairs without any; below 1e-4 they are void';
COMMENT ON COLUMN hakperf.run_checks.order_p IS 'chance of so much effect of which arm ran first; below 1e-4 the pairs are void';
COMMENT ON COLUMN hakperf.run_checks.wall_over_cpu IS 'median of wall by CPU time: above 1 others shared the measuring CPU';
COMMENT ON COLUMN hakperf.run_checks.repeated IS 'whether a first attempt was void';
COMMENT ON COLUMN hakperf.run_checks.runner IS 'who measured';
COMMENT ON COLUMN hakperf.run_checks.load IS 'load average at the start';
COMMENT ON COLUMN hakperf.run_checks.steal_percent IS 'share of the measuring CPU that other virtual machines took meanwhile';
COMMENT ON COLUMN hakperf.run_checks.governor IS 'of the CPU''s frequency';
COMMENT ON COLUMN hakperf.run_checks.turbo IS 'whether the clock may rise above its nominal frequency';
COMMENT ON COLUMN hakperf.run_checks.smt IS '1 where cores have several threads';
COMMENT ON COLUMN hakperf.run_checks.aslr IS 'randomize_va_space of the kernel; 0 averages no page placement';
COMMENT ON COLUMN hakperf.run_checks.huge_pages IS 'transparent huge pages: always, madvise or never';
COMMENT ON COLUMN hakperf.run_checks.temperature_c IS 'hottest sensor at the start';
COMMENT ON COLUMN hakperf.run_checks.run IS 'the run';
