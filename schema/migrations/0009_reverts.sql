-- Commits that take another one back, told by the patch id of the inverse change or by git's own
-- words in the message; and all commits for readers, not only those of the main line.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.commit ADD COLUMN reverts text;
COMMENT ON COLUMN store.commit.reverts IS
    'The earlier commit that it takes back, known by the patch id of the inverse change, else from its message.';
CREATE INDEX commit_reverts ON store.commit (repository, reverts) WHERE reverts IS NOT NULL;

-- Whether a branch was watched when it was last looked at, and under which suite: what is watched
-- may change without a push.
ALTER TABLE store.ref_tip ADD COLUMN watched boolean NOT NULL DEFAULT true;
ALTER TABLE store.repository ADD COLUMN looked_suite text;
UPDATE store.repository SET looked_suite = suite_hash WHERE looked IS NOT NULL;
COMMENT ON COLUMN store.ref_tip.watched IS 'Whether its commits were to be measured at the last look.';
COMMENT ON COLUMN store.repository.looked_suite IS 'The suite in force at the last look.';

CREATE VIEW hakperf.commits AS
SELECT r.name AS repository,
       c.committed,
       left(c.sha, 7) AS commit,
       c.author,
       c.subject,
       c.mainline,
       c.watched,
       c.paths,
       left(c.reverts, 7) AS reverts,
       (SELECT left(x.sha, 7) FROM store.commit x
        WHERE x.repository = c.repository AND x.reverts = c.sha
        ORDER BY x.position DESC LIMIT 1) AS reverted_by,
       c.patch_id,
       c.parents,
       c.position,
       c.seen,
       c.sha
FROM store.commit c
JOIN store.repository r ON r.id = c.repository
ORDER BY c.committed DESC, c.position DESC;
COMMENT ON VIEW hakperf.commits IS
    'Every commit that the collector knows, of all branches, newest first.';
COMMENT ON COLUMN hakperf.commits.mainline IS 'whether it lies on the first-parent history of the default branch';
COMMENT ON COLUMN hakperf.commits.watched IS 'whether it touches a watched path, and so is measured';
COMMENT ON COLUMN hakperf.commits.paths IS 'what differs from the first parent';
COMMENT ON COLUMN hakperf.commits.reverts IS 'the earlier commit that it takes back';
COMMENT ON COLUMN hakperf.commits.patch_id IS 'the same for the same change elsewhere; NULL for merges and roots';
COMMENT ON COLUMN hakperf.commits.seen IS 'when the collector found it';
