-- What the artifacts as shipped came to, beside the code layouts that decide: where they alone moved, it
-- is the place where the linker put the functions (`layout_suspect`), and nobody is woken for it.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.run_workload
    ADD COLUMN shipped_pairs integer,
    ADD COLUMN shipped_estimate double precision,
    ADD COLUMN shipped_low double precision,
    ADD COLUMN shipped_high double precision,
    ADD COLUMN layout_suspect boolean;
COMMENT ON COLUMN store.run_workload.shipped_pairs IS
    'Pairs of the artifacts as shipped; NULL where all pairs were, or none.';
COMMENT ON COLUMN store.run_workload.shipped_estimate IS 'Log ratio head to base of those pairs.';
COMMENT ON COLUMN store.run_workload.shipped_low IS 'Lower bound of it.';
COMMENT ON COLUMN store.run_workload.shipped_high IS 'Upper bound of it.';
COMMENT ON COLUMN store.run_workload.layout_suspect IS
    'Whether the artifacts as shipped moved by more than the margin while the average over layouts did not.';

CREATE VIEW hakperf.layout_suspects AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS commit,
       left(u.base, 7) AS base,
       w.name AS workload,
       round((100 * (exp(x.shipped_estimate) - 1))::numeric, 2) AS shipped_percent,
       round((100 * (exp(x.shipped_low) - 1))::numeric, 2) AS shipped_low_percent,
       round((100 * (exp(x.shipped_high) - 1))::numeric, 2) AS shipped_high_percent,
       round((100 * (exp(k.estimate) - 1))::numeric, 2) AS layouts_percent,
       u.id AS run
FROM store.run_workload x
JOIN store.run u ON u.repository = x.repository AND u.id = x.run
JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload
JOIN store.repository r ON r.id = x.repository
LEFT JOIN store.comparison k ON k.repository = x.repository AND k.run = x.run
    AND k.workload = x.workload AND k.scale = 'log' AND k.gates
WHERE x.layout_suspect
ORDER BY u.finished DESC, w.name;
COMMENT ON VIEW hakperf.layout_suspects IS
    'Runs in which only the artifacts as shipped moved: their code lies at another place, and over many layouts nothing changed. No alert is made of it.';
COMMENT ON COLUMN hakperf.layout_suspects.repository IS 'whose commit was measured';
COMMENT ON COLUMN hakperf.layout_suspects.measured IS 'when the run ended';
COMMENT ON COLUMN hakperf.layout_suspects.commit IS 'the head, abbreviated';
COMMENT ON COLUMN hakperf.layout_suspects.base IS 'what it was compared with, abbreviated';
COMMENT ON COLUMN hakperf.layout_suspects.workload IS 'name of the workload';
COMMENT ON COLUMN hakperf.layout_suspects.shipped_percent IS 'change of the artifacts as shipped';
COMMENT ON COLUMN hakperf.layout_suspects.shipped_low_percent IS 'lower bound of it';
COMMENT ON COLUMN hakperf.layout_suspects.shipped_high_percent IS 'upper bound of it';
COMMENT ON COLUMN hakperf.layout_suspects.layouts_percent IS 'change over the layouts, which decided';
COMMENT ON COLUMN hakperf.layout_suspects.run IS 'the run';
