-- Who follows the service is told which jobs changed. Each job bears the transaction that changed it
-- last, so that "what changed since" is a range of an index; nothing has to be kept for those who
-- were away.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.job ADD COLUMN changed xid8 NOT NULL DEFAULT '0';
ALTER TABLE store.job ALTER COLUMN changed SET DEFAULT pg_current_xact_id();
COMMENT ON COLUMN store.job.changed IS
    'The transaction that changed last what JOB STATE shows of it; a renewed lease is no change.';
CREATE INDEX job_changed ON store.job (changed);

CREATE FUNCTION store.job_note_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.changed := pg_current_xact_id();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION store.job_note_change IS 'Notes in a job the transaction that changes it.';
CREATE TRIGGER job_changing BEFORE UPDATE ON store.job
    FOR EACH ROW WHEN ((NEW.state, NEW.attempt, NEW.runner, NEW.progress, NEW.reason)
                       IS DISTINCT FROM (OLD.state, OLD.attempt, OLD.runner, OLD.progress, OLD.reason))
    EXECUTE FUNCTION store.job_note_change();
