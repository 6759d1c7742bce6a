-- How often a run was tried to be confirmed is asked for each that is stored.
SET LOCAL ROLE hakperf_owner;

CREATE INDEX job_confirms ON store.job (repository, confirms) WHERE confirms IS NOT NULL;
