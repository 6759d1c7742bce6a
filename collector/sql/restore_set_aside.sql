-- The empty database makes room for the one that is restored.
ALTER DATABASE hakperf RENAME TO hakperf_before
