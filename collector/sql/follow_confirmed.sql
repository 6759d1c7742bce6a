-- Run $3 answered whether the regression of run $2 of repository $1 is there ($4: confirmed, refuted
-- or unanswered): for that run, and any other of the same pair that waits for it.
UPDATE store.run u
SET confirmation = $4, confirmed_by = $3::uuid
FROM store.run first
WHERE first.repository = $1::integer AND first.id = $2::uuid
  AND u.repository = first.repository AND u.head = first.head AND u.base = first.base
  AND u.confirmation = 'pending'
