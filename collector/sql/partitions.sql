-- Makes the monthly partitions of the samples, three months ahead.
SELECT store.make_partitions(3)
