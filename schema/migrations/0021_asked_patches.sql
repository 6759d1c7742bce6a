-- Commits that were stored before there were patch ids, or while git could not name them, are asked for
-- later: a revert of one of them is then recognised by its change too.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.commit ADD COLUMN patch_asked boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN store.commit.patch_asked IS
    'Whether its patch id was asked for; merges, roots and empty commits have none, and are not asked again.';
UPDATE store.commit SET patch_asked = true WHERE patch_id IS NOT NULL;
CREATE INDEX commit_unasked ON store.commit (repository, position) WHERE NOT patch_asked;
