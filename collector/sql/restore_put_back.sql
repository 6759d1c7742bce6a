-- The restore failed: the empty database gets its name back.
ALTER DATABASE hakperf_before RENAME TO hakperf
