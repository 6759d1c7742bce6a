-- The tips of repository $1 at the last look, as a JSON array.
SELECT coalesce(jsonb_agg(DISTINCT sha), '[]') FROM store.ref_tip WHERE repository = $1::integer
