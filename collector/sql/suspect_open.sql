-- Commit $4 of repository $1 lies outside what its series of workload $2 predicts after commit $3,
-- because of $5: pairs are to say. At most $6 runs. No row where it was suspected before.
INSERT INTO store.suspect (repository, workload, good, bad, low, high, budget, reason)
VALUES ($1::integer, $2, $3, $4, $3, $4, $6::integer, $5)
ON CONFLICT DO NOTHING
RETURNING id
