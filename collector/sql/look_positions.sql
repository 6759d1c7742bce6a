-- Positions of those commits of repository $1 among $2 (JSON array) that the store knows.
SELECT coalesce(jsonb_object_agg(sha, position), '{}')
FROM store.commit
WHERE repository = $1::integer AND sha IN (SELECT jsonb_array_elements_text($2::jsonb))
