-- Which of the commits $2 (JSON array) of repository $1 take an earlier one back.
WITH fresh AS (
    SELECT c.repository, c.sha, c.position, f.inverse_id, f.says
    FROM jsonb_to_recordset($2::jsonb) AS f(sha text, inverse_id text, says text)
    JOIN store.commit c ON c.repository = $1::integer AND c.sha = f.sha
    WHERE f.inverse_id IS NOT NULL OR f.says IS NOT NULL
)
UPDATE store.commit c SET reverts = found.sha
FROM fresh
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT o.sha FROM store.commit o
         WHERE o.repository = fresh.repository AND o.patch_id = fresh.inverse_id
           AND o.position < fresh.position
         ORDER BY o.position DESC LIMIT 1),
        (SELECT o.sha FROM store.commit o
         WHERE o.repository = fresh.repository AND o.sha = fresh.says)) AS sha
) found
WHERE c.repository = fresh.repository AND c.sha = fresh.sha AND found.sha IS NOT NULL
