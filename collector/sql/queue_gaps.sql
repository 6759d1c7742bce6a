-- Fills gaps: watched commits of the main line that came after the first look, that no job ever
-- measured, and that lie between two measured ones; those before a step of a level first, then the
-- newest, at most $1 of a repository at a time. What was there before the first look nobody asked for.
WITH room AS (
    SELECT r.id AS repository, r.suite_hash,
           (SELECT min(c.seen) FROM store.commit c WHERE c.repository = r.id) AS first_look,
           $1::integer - (SELECT count(*) FROM store.job j
                          WHERE j.repository = r.id AND j.kind = 'backfill'
                            AND j.state IN ('queued', 'running')) AS places,
           (SELECT min(c.position) FROM store.commit c
            WHERE c.repository = r.id AND c.mainline
              AND EXISTS (SELECT FROM store.run u
                          WHERE u.repository = c.repository AND u.head = c.sha
                            AND u.status <> 'failed')) AS oldest,
           (SELECT max(c.position) FROM store.commit c
            WHERE c.repository = r.id AND c.mainline
              AND EXISTS (SELECT FROM store.run u
                          WHERE u.repository = c.repository AND u.head = c.sha
                            AND u.status <> 'failed')) AS newest
    FROM store.repository r
    WHERE r.suite_hash IS NOT NULL
), gap AS (
    SELECT room.repository, room.suite_hash, c.sha, c.position, c.parents[1] AS parent
    FROM room
    CROSS JOIN LATERAL (
        SELECT c.sha, c.position, c.parents FROM store.commit c
        WHERE c.repository = room.repository AND c.mainline AND c.watched
          AND c.seen > room.first_look
          AND c.position > room.oldest AND c.position < room.newest
          AND NOT EXISTS (SELECT FROM store.job j
                          WHERE j.repository = c.repository AND j.head = c.sha
                            AND j.kind IN ('commit', 'backfill'))
        -- Those right before a step of a level come first: one of them did it.
        ORDER BY EXISTS (
                     SELECT FROM store.change_point k
                     WHERE k.repository = c.repository AND k.position > c.position
                       AND NOT EXISTS (SELECT FROM store.point p
                                       WHERE p.repository = k.repository AND p.workload = k.workload
                                         AND p.metric = k.metric
                                         AND p.epoch = k.epoch AND p.position >= c.position
                                         AND p.position < k.position)) DESC,
                 c.position DESC
        LIMIT greatest(room.places, 0)
    ) c
)
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position)
SELECT g.repository, 'backfill', g.sha,
       (SELECT p.sha FROM store.commit p WHERE p.repository = g.repository AND p.sha = g.parent),
       g.suite_hash, 0, g.position
FROM gap g
ON CONFLICT DO NOTHING
