-- The documented views list newest runs first over all repositories; with this index LIMIT 20 reads
-- twenty runs instead of sorting every figure ever measured.
SET LOCAL ROLE hakperf_owner;

CREATE INDEX run_newest ON store.run (stored DESC);
