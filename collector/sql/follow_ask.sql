-- Run $2 of repository $1 found a relevant regression: it waits for a fresh run, sampled as $3 says,
-- on the same runner. No second job where one for the same pair waits already.
WITH pending AS (
    UPDATE store.run SET confirmation = 'pending'
    WHERE repository = $1::integer AND id = $2::uuid
    RETURNING repository, id, head, base, suite_hash, runner
)
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, only_runner,
                       plan, confirms)
SELECT p.repository, 'confirm', p.head, p.base, p.suite_hash, 1900000000 /* QUEUE_CONFIRM */,
       c.position, p.runner, $3::jsonb, p.id
FROM pending p
JOIN store.commit c ON c.repository = p.repository AND c.sha = p.head
ON CONFLICT DO NOTHING
