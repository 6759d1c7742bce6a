-- Marks the first-parent history of a repository's default ref; $1 repository id. Call it in the
-- transaction that changed the tips: it writes only what differs, so a forced push costs what it
-- changed.
WITH RECURSIVE line(sha, parent) AS (
    SELECT c.sha, c.parents[1]
    FROM store.repository r
    JOIN store.ref_tip t ON t.repository = r.id AND t.ref = r.default_ref
    JOIN store.commit c ON c.repository = r.id AND c.sha = t.sha
    WHERE r.id = $1::integer
    UNION ALL
    SELECT c.sha, c.parents[1]
    FROM line
    JOIN store.commit c ON c.repository = $1::integer AND c.sha = line.parent
)
UPDATE store.commit c
SET mainline = NOT c.mainline
WHERE c.repository = $1::integer
  AND c.mainline <> EXISTS (SELECT FROM line WHERE line.sha = c.sha)
