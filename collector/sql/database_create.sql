CREATE DATABASE hakperf OWNER hakperf_owner
