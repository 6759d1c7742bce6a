-- Whether the database answers and is writable.
SELECT NOT pg_is_in_recovery()
