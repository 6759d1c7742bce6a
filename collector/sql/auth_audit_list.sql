-- The newest $1 deeds, older than number $2 if given, of repository or object $3 if given.
WITH page AS (
    SELECT * FROM store.audit_log
    WHERE id < coalesce($2::bigint, 9223372036854775807) AND ($3::text IS NULL OR object = $3)
    ORDER BY id DESC LIMIT $1::integer + 1
), numbered AS (
    SELECT p.*, row_number() OVER (ORDER BY id DESC) AS line FROM page p
)
SELECT json_build_object(
    'entries', coalesce(json_agg(json_build_object(
        'id', id, 'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'who', who,
        'action', action, 'object', object, 'address', address, 'detail', detail
    ) ORDER BY id DESC) FILTER (WHERE line <= $1::integer), '[]'),
    'next', min(id) FILTER (WHERE line = $1::integer
                            AND (SELECT count(*) FROM page) > $1::integer))
FROM numbered
