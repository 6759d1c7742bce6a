-- ALERTS, the newest first: at most $1, of repository $2 (name), in state $3 ('active': not resolved),
-- of owner $4, older than alert $5; each may be NULL.
WITH page AS (
    SELECT a.repository, a.id, row_number() OVER (ORDER BY a.id DESC) AS line
    FROM store.alert a
    JOIN store.repository r ON r.id = a.repository
    WHERE ($2::text IS NULL OR r.name = $2)
      AND ($3::text IS NULL OR a.state = $3 OR $3 = 'active' AND a.state <> 'resolved')
      AND ($4::text IS NULL OR a.owner = $4)
      AND a.id < coalesce($5::bigint, 9223372036854775807)
    ORDER BY a.id DESC
    LIMIT $1::integer + 1
)
SELECT json_build_object(
    'alerts', coalesce(json_agg(a.shown ORDER BY p.line)
                       FILTER (WHERE p.line <= $1::integer AND a.shown IS NOT NULL), '[]'),
    'next', (SELECT n.id FROM page n
             WHERE n.line = $1::integer AND EXISTS (SELECT FROM page m WHERE m.line > n.line)))
FROM page p
LEFT JOIN LATERAL (
    -- OFFSET 0: one look-up an alert, whatever the statistics say of the tables.
    SELECT a.shown FROM store.alert_shown a
    WHERE a.repository = p.repository AND a.id = p.id OFFSET 0) a ON true
