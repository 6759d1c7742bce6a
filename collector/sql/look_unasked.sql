-- Commits of repository $1 that were never asked for their patch id, as history_read gives them: of the
-- newest $2 positions the oldest $3, so that an original comes before what takes it back.
SELECT json_agg(json_build_object('sha', x.sha, 'parents', to_json(x.parents)) ORDER BY x.position)
FROM (SELECT c.sha, c.parents, c.position FROM store.commit c
      WHERE c.repository = $1::integer AND NOT c.patch_asked
        AND c.position > (SELECT max(m.position) FROM store.commit m
                          WHERE m.repository = $1::integer AND m.mainline) - $2::integer
      ORDER BY c.position LIMIT $3::integer) x
