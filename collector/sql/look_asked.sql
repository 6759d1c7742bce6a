-- The patch ids of commits $2 (JSON array; NULL: it has none) of repository $1, which were asked for them.
UPDATE store.commit c SET patch_id = f.patch_id, patch_asked = true
FROM jsonb_to_recordset($2::jsonb) AS f(sha text, patch_id text)
WHERE c.repository = $1::integer AND c.sha = f.sha
