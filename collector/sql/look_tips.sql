-- Makes the tips of repository $1 those of $2 (JSON object, ref to commit).
WITH tip AS (
    SELECT key AS ref, value AS sha FROM jsonb_each_text($2::jsonb)
), gone AS (
    DELETE FROM store.ref_tip t
    WHERE t.repository = $1::integer AND NOT EXISTS (SELECT FROM tip WHERE tip.ref = t.ref)
)
INSERT INTO store.ref_tip AS t (repository, ref, sha)
SELECT $1::integer, ref, sha FROM tip
ON CONFLICT (repository, ref) DO UPDATE SET sha = EXCLUDED.sha, seen = now()
WHERE t.sha <> EXCLUDED.sha
