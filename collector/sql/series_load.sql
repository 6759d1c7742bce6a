-- The last $4 points of repository $1, workload $2 and epoch $3, oldest first: position, commit, log
-- ratio, and of a known change point its levels and its chance.
SELECT p.position, p.sha, p.ratio, k.before, k.after, k.p
FROM (SELECT * FROM store.point
      WHERE repository = $1::integer AND workload = $2::integer AND epoch = $3::integer
      ORDER BY position DESC LIMIT $4::integer) p
LEFT JOIN store.change_point k ON k.repository = p.repository AND k.workload = p.workload
    AND k.epoch = p.epoch AND k.position = p.position
ORDER BY p.position
