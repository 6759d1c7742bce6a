-- Notes that repository $1 was looked at; $2 its default ref (NULL: as it was). → commits known
WITH looked AS (
    UPDATE store.repository
    SET looked = now(), looked_suite = suite_hash, look_error = NULL, default_ref = coalesce($2, default_ref)
    WHERE id = $1::integer
)
SELECT count(*) FROM store.commit WHERE repository = $1::integer
