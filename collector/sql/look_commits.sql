-- Adds commits ($2, JSON array; $3: asked for their patch ids) to repository $1; those it knows stay as
-- they are.
INSERT INTO store.commit (repository, sha, parents, position, author, author_email, subject,
                          committed, paths, watched, patch_id,
                          patch_asked)
SELECT $1::integer, c.sha, ARRAY(SELECT jsonb_array_elements_text(c.parents)), c.position, c.author,
       c.email, c.subject, to_timestamp(c."time"),
       ARRAY(SELECT jsonb_array_elements_text(c.paths)), c.watched, c.patch_id,
       $3::boolean
FROM jsonb_to_recordset($2::jsonb) AS c(sha text, parents jsonb, position bigint, author text,
                                        email text, subject text, "time" double precision,
                                        paths jsonb, watched boolean, patch_id text)
ON CONFLICT DO NOTHING
