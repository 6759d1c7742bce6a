-- From now on this connection hears that somebody queued a job.
LISTEN hakperf_job
