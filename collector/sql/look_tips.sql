-- Makes the tips of repository $1 those of $2 (JSON object, ref to commit); $3 (JSON array) names the
-- refs that are watched.
WITH tip AS (
    SELECT key AS ref, value AS sha, $3::jsonb ? key AS watched FROM jsonb_each_text($2::jsonb)
), gone AS (
    DELETE FROM store.ref_tip t
    WHERE t.repository = $1::integer AND NOT EXISTS (SELECT FROM tip WHERE tip.ref = t.ref)
)
INSERT INTO store.ref_tip AS t (repository, ref, sha, watched)
SELECT $1::integer, ref, sha, watched FROM tip
ON CONFLICT (repository, ref) DO UPDATE
SET sha = EXCLUDED.sha, watched = EXCLUDED.watched,
    seen = CASE WHEN t.sha <> EXCLUDED.sha THEN now() ELSE t.seen END
WHERE t.sha <> EXCLUDED.sha OR t.watched <> EXCLUDED.watched
