-- Puts a suite in force for repository $1: hash $2, name $3, document $4, driver $5 with subject
-- $6, reference $7 with subject $8 (NULL: it names none). → whether that changed anything
WITH before AS (
    SELECT r.suite_hash, s.driver_sha, s.reference_sha
    FROM store.repository r
    LEFT JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
    WHERE r.id = $1::integer
), saved AS (
    INSERT INTO store.suite (repository, hash, name, document, driver_sha, driver_subject,
                             reference_sha, reference_subject)
    VALUES ($1::integer, $2, $3, $4::jsonb, $5, $6, $7, $8)
    ON CONFLICT (repository, hash) DO UPDATE
    SET driver_sha = EXCLUDED.driver_sha, driver_subject = EXCLUDED.driver_subject,
        reference_sha = EXCLUDED.reference_sha, reference_subject = EXCLUDED.reference_subject
)
SELECT (suite_hash, driver_sha, reference_sha) IS DISTINCT FROM ($2, $5, $7) FROM before
