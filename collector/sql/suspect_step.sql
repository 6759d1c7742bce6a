-- What a run told of suspect $2 of repository $1: low $3, high $4, evidence $5, one more commit that
-- could not be measured $6 (NULL: none). → the commit between the two that halves what is left (watched,
-- not known to fail), NULL where there is none, and how many were left out.
WITH changed AS (
    UPDATE store.suspect s
    SET low = $3, high = $4, evidence = $5::uuid, changed = now(),
        skipped = CASE WHEN $6::text IS NULL THEN s.skipped ELSE s.skipped || $6::text END
    WHERE s.repository = $1::integer AND s.id = $2::bigint
    RETURNING s.repository, s.skipped
), between AS (
    SELECT c.sha, c.position, (l.position + h.position) / 2.0 AS middle,
           c.sha = ANY (changed.skipped)
           OR coalesce((SELECT u.status = 'failed' FROM store.run u
                        WHERE u.repository = c.repository AND u.head = c.sha
                        ORDER BY u.stored DESC LIMIT 1), false) AS fails
    FROM changed
    JOIN store.commit l ON l.repository = changed.repository AND l.sha = $3
    JOIN store.commit h ON h.repository = changed.repository AND h.sha = $4
    JOIN store.commit c ON c.repository = changed.repository AND c.mainline AND c.watched
        AND c.position > l.position AND c.position < h.position
)
SELECT (SELECT b.sha FROM between b WHERE NOT b.fails
        ORDER BY abs(b.position - b.middle), b.position LIMIT 1),
       (SELECT count(*) FROM between b WHERE b.fails)
