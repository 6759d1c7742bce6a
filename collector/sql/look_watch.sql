-- Judges anew which commits of repository $1 touch a path of $2 (JSON array; empty: all do). Of a
-- commit with more paths than are kept ($3) the judgement stays.
WITH watch AS (
    SELECT value AS path FROM jsonb_array_elements_text($2::jsonb)
), judged AS (
    SELECT c.sha,
           NOT EXISTS (SELECT FROM watch)
           OR EXISTS (SELECT FROM watch w, unnest(c.paths) AS p
                      WHERE p = w.path OR starts_with(p, rtrim(w.path, '/') || '/'))
           OR (cardinality(c.paths) >= $3::integer AND c.watched) AS watched
    FROM store.commit c
    WHERE c.repository = $1::integer
)
UPDATE store.commit c SET watched = judged.watched
FROM judged
WHERE c.repository = $1::integer AND c.sha = judged.sha AND c.watched <> judged.watched
