-- The restore succeeded: the empty database is of no more use.
DROP DATABASE hakperf_before
