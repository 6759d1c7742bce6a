-- How many of the waiting jobs could be claimed now, up to $1.
SELECT count(*) FROM (
    SELECT FROM store.job j
    WHERE j.state = 'queued'
      AND (j.only_runner IS NULL
           OR EXISTS (SELECT FROM store.runner x WHERE x.name = j.only_runner
                                                   AND x.seen > now() - interval '2 minutes'))
      AND (j.depends_on = '{}'
           OR NOT EXISTS (SELECT FROM store.job d
                          WHERE d.repository = j.repository AND d.id = ANY (j.depends_on)
                            AND d.state <> 'done'))
    LIMIT $1::integer) x
