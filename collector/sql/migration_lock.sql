-- One migrating program a database; held until migration_unlock or the end of the session.
SELECT pg_advisory_lock(7312462158031842)
