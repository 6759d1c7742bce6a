-- Job $2 of repository $1 confirmed nothing, because its run failed: it is tried once more, with
-- other code layouts ($3).
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, only_runner,
                       plan, confirms)
SELECT repository, kind, head, base, suite_hash, priority, position, only_runner,
       plan || jsonb_build_object('layout_seed', $3::bigint), confirms
FROM store.job
WHERE repository = $1::integer AND id = $2::bigint
