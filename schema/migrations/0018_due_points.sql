-- Steps of a series are judged behind the results, many points at a time.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.point ADD due boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN store.point.due IS 'A result added or changed it, and its series was not looked at since.';
CREATE INDEX point_due ON store.point (repository, workload, epoch, position) WHERE due;
