-- What a failed restore left.
DROP DATABASE IF EXISTS hakperf
