-- What the history says: the points of each series as they are measured, where their level stepped, and
-- stretches of commits that are searched for the one that did it.
SET LOCAL ROLE hakperf_owner;

CREATE TABLE store.point (
    repository integer NOT NULL,
    workload   integer NOT NULL,
    epoch      integer NOT NULL,
    position   bigint NOT NULL,
    sha        text NOT NULL,
    run        uuid NOT NULL,
    ratio      double precision NOT NULL,
    PRIMARY KEY (repository, workload, epoch, position),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE,
    FOREIGN KEY (repository, workload) REFERENCES store.workload,
    FOREIGN KEY (repository, epoch) REFERENCES store.epoch,
    FOREIGN KEY (repository, sha) REFERENCES store.commit
);
COMMENT ON TABLE store.point IS
    'Commits of the main line in one workload and epoch: the log ratio of the throughput to the control''s, of their last run there.';
CREATE INDEX point_run ON store.point (repository, run);

CREATE TABLE store.change_point (
    repository integer NOT NULL,
    workload   integer NOT NULL,
    epoch      integer NOT NULL,
    position   bigint NOT NULL,
    sha        text NOT NULL,
    before     double precision NOT NULL,
    after      double precision NOT NULL,
    change     double precision NOT NULL,
    p          double precision NOT NULL,
    found      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, workload, epoch, position),
    FOREIGN KEY (repository, workload) REFERENCES store.workload,
    FOREIGN KEY (repository, epoch) REFERENCES store.epoch,
    FOREIGN KEY (repository, sha) REFERENCES store.commit
);
COMMENT ON TABLE store.change_point IS 'Where the level of a series stepped: at the first commit of the new level.';
COMMENT ON COLUMN store.change_point.before IS 'Median log ratio to the control before; after likewise.';
COMMENT ON COLUMN store.change_point.change IS 'Fraction: exp(after - before) - 1.';

CREATE TABLE store.suspect (
    repository integer NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    workload   text NOT NULL,
    good       text NOT NULL,
    bad        text NOT NULL,
    low        text NOT NULL,
    high       text NOT NULL,
    job        bigint,
    evidence   uuid,
    skipped    text[] NOT NULL DEFAULT '{}',
    budget     integer NOT NULL CHECK (budget >= 0),
    state      text NOT NULL DEFAULT 'measuring' CHECK (state IN
        ('measuring', 'found', 'refuted', 'ended')),
    reason     text NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    changed    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, id),
    FOREIGN KEY (repository, job) REFERENCES store.job,
    FOREIGN KEY (repository, good) REFERENCES store.commit,
    FOREIGN KEY (repository, bad) REFERENCES store.commit,
    FOREIGN KEY (repository, low) REFERENCES store.commit,
    FOREIGN KEY (repository, high) REFERENCES store.commit
);
COMMENT ON TABLE store.suspect IS
    'A commit whose point lies outside what its series predicts. Pairs are measured before anyone hears of it; a stretch of several commits is halved.';
COMMENT ON COLUMN store.suspect.low IS 'The newest commit that is known to be on the old level.';
COMMENT ON COLUMN store.suspect.high IS 'The oldest commit that is known to be on the new one.';
COMMENT ON COLUMN store.suspect.evidence IS 'The last run that found the regression between the two.';
COMMENT ON COLUMN store.suspect.skipped IS 'Commits in between that could not be measured.';
COMMENT ON COLUMN store.suspect.budget IS 'Runs that may still be spent on it.';
CREATE UNIQUE INDEX suspect_once ON store.suspect (repository, workload, bad);
CREATE INDEX suspect_job ON store.suspect (repository, job) WHERE state = 'measuring';

CREATE VIEW hakperf.change_points AS
SELECT r.name AS repository,
       left(p.sha, 7) AS commit,
       c.subject,
       w.name AS workload,
       round((100 * p.change)::numeric, 2) AS change_percent,
       p.epoch,
       p.p,
       c.committed,
       p.found,
       p.before,
       p.after,
       p.sha
FROM store.change_point p
JOIN store.repository r ON r.id = p.repository
JOIN store.workload w ON w.repository = p.repository AND w.id = p.workload
JOIN store.commit c ON c.repository = p.repository AND c.sha = p.sha
ORDER BY c.committed DESC, p.position DESC, w.name;
COMMENT ON VIEW hakperf.change_points IS
    'Where the level of a workload''s throughput, held against the control''s, stepped and stayed; newest first. The commit is the first of the new level.';

CREATE VIEW hakperf.suspects AS
SELECT r.name AS repository,
       s.created,
       s.workload,
       s.state,
       left(s.good, 7) AS good,
       left(s.bad, 7) AS bad,
       left(s.low, 7) AS low,
       left(s.high, 7) AS high,
       s.reason,
       s.budget,
       cardinality(s.skipped) AS skipped,
       s.job,
       s.evidence,
       s.changed
FROM store.suspect s
JOIN store.repository r ON r.id = s.repository
ORDER BY s.created DESC, s.id DESC;
COMMENT ON VIEW hakperf.suspects IS
    'Commits outside what their series predicted, and what pairs said of them. Between low and high lies the commit that did it.';
COMMENT ON COLUMN hakperf.suspects.state IS 'measuring; found: high did it; refuted: the pairs see nothing; ended: see reason';

-- A pair that is given up ends the search that waited for it; a job that is tried again takes it up.
CREATE FUNCTION store.suspect_given_up() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE store.suspect s
    SET state = CASE WHEN NEW.state = 'queued' THEN 'measuring' ELSE 'ended' END, changed = now(),
        reason = CASE WHEN NEW.state = 'queued' THEN s.reason
                      ELSE format('job %s for it is %s', NEW.id, NEW.state) END
    WHERE s.repository = NEW.repository AND s.job = NEW.id
      AND s.state = CASE WHEN NEW.state = 'queued' THEN 'ended' ELSE 'measuring' END;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION store.suspect_given_up IS 'Keeps a search in step with the job that it waits for.';
CREATE TRIGGER job_suspecting AFTER UPDATE OF state ON store.job
    FOR EACH ROW WHEN (NEW.kind = 'bisect' AND NEW.state <> OLD.state
                       AND NEW.state IN ('dead', 'cancelled', 'queued') AND OLD.state <> 'running'
                       OR NEW.kind = 'bisect' AND NEW.state IN ('dead', 'cancelled')
                          AND OLD.state = 'running')
    EXECUTE FUNCTION store.suspect_given_up();
