-- Alerts that people work with: an owner, how each ended, several kinds, and a message for every step.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.alert DROP CONSTRAINT alert_state_check;
DROP INDEX store.alert_once;
UPDATE store.alert SET state = 'resolved' WHERE state = 'closed';
ALTER TABLE store.alert
    DROP CONSTRAINT alert_repository_run_key,
    ADD COLUMN kind text NOT NULL DEFAULT 'regression' CHECK (kind IN
        ('regression', 'accumulated', 'selftest')),
    ADD COLUMN owner text,
    ADD COLUMN resolution text CHECK (resolution IN ('fixed', 'reverted', 'accepted', 'false')),
    ADD COLUMN detail jsonb,
    ADD CONSTRAINT alert_state_known CHECK (state IN ('open', 'acknowledged', 'resolved')),
    ADD CONSTRAINT alert_run_once UNIQUE (repository, run, kind);
UPDATE store.alert SET resolution = 'reverted' WHERE state = 'resolved';
ALTER TABLE store.alert
    ADD CONSTRAINT alert_resolved CHECK ((resolution IS NOT NULL) = (state = 'resolved'));
COMMENT ON COLUMN store.alert.kind IS
    'regression: one commit; accumulated: small ones in a row; selftest: the service itself is sick.';
COMMENT ON COLUMN store.alert.owner IS 'Who takes care of it; NULL: nobody yet.';
COMMENT ON COLUMN store.alert.resolution IS
    'How it ended: fixed, reverted (found by the service), accepted (meant so), or false (no regression after all).';
COMMENT ON COLUMN store.alert.closed_reason IS 'What was said when it was resolved.';
COMMENT ON COLUMN store.alert.detail IS 'Of accumulated ones the commits and their shares; of self-tests the figures.';
-- One alert a commit and kind that is not resolved, however often it is measured.
CREATE UNIQUE INDEX alert_once ON store.alert (repository, head, kind) WHERE state <> 'resolved';
CREATE INDEX alert_id ON store.alert (id);

ALTER TABLE store.alert_event DROP CONSTRAINT alert_event_action_check;
UPDATE store.alert_event SET action = 'resolved' WHERE action = 'closed';
ALTER TABLE store.alert_event ADD CONSTRAINT alert_event_known CHECK (action IN
    ('opened', 'acknowledged', 'assigned', 'noted', 'resolved', 'reopened'));

-- Notes a step in the history, and tells it.
CREATE FUNCTION store.alert_tell(of_repository integer, of_alert bigint, what text, by text, say text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO store.alert_event (repository, alert, who, action, note)
    VALUES (of_repository, of_alert, by, what, say);
    INSERT INTO store.outbox (repository, kind, alert, payload)
    SELECT a.repository, 'alert', a.id, jsonb_build_object(
        'event', what, 'repository', r.name, 'alert', a.id, 'alert_kind', a.kind, 'who', by,
        'note', say, 'state', a.state, 'owner', a.owner, 'resolution', a.resolution,
        'commit', jsonb_build_object('sha', c.sha, 'short', left(c.sha, 7), 'subject', c.subject),
        'sentence', a.sentence, 'change', a.change, 'run', a.run,
        'address', format('/#repo=%s&base=%s&head=%s', r.name, u.base, u.head))
    FROM store.alert a
    JOIN store.repository r ON r.id = a.repository
    JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
    JOIN store.run u ON u.repository = a.repository AND u.id = a.run
    WHERE a.repository = of_repository AND a.id = of_alert AND what <> 'noted';
$$;
COMMENT ON FUNCTION store.alert_tell IS 'Adds a step to an alert''s history and, but for notes, a message to the outbox.';

-- What people do with an alert. open -> acknowledged -> resolved -> open; assigning and resolving work
-- in both states that are not resolved. Doing again what holds already changes nothing.
CREATE FUNCTION store.alert_act(of_alert bigint, what text, by text, new_owner text, say text, how text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a store.alert;
BEGIN
    SELECT * INTO a FROM store.alert x WHERE x.id = of_alert FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no alert %', of_alert
            USING ERRCODE = 'HP404', HINT = '`hakperf alerts` lists them.';
    END IF;
    IF what <> 'reopened' AND what <> 'noted' AND a.state = 'resolved' THEN
        IF what = 'resolved' AND a.resolution = how THEN
            RETURN;
        END IF;
        RAISE EXCEPTION 'alert % is resolved (%)', of_alert, a.resolution
            USING ERRCODE = 'HP409', HINT = format('`hakperf alerts reopen %s` opens it again.', of_alert);
    END IF;
    IF what = 'reopened' AND a.state <> 'resolved' THEN
        RAISE EXCEPTION 'alert % is %, not resolved', of_alert, a.state USING ERRCODE = 'HP409';
    END IF;
    IF what = 'reopened' AND EXISTS (SELECT FROM store.alert x
            WHERE x.repository = a.repository AND x.head = a.head AND x.kind = a.kind
              AND x.state <> 'resolved') THEN
        RAISE EXCEPTION 'the commit of alert % has a newer alert that is not resolved', of_alert
            USING ERRCODE = 'HP409';
    END IF;
    IF (what = 'acknowledged' AND a.state = 'acknowledged' AND say IS NULL)
       OR (what = 'assigned' AND a.owner IS NOT DISTINCT FROM new_owner AND say IS NULL) THEN
        RETURN;
    END IF;
    UPDATE store.alert x
    SET state = CASE what WHEN 'acknowledged' THEN 'acknowledged' WHEN 'resolved' THEN 'resolved'
                          WHEN 'reopened' THEN 'open' ELSE x.state END,
        owner = CASE WHEN what = 'assigned' THEN new_owner ELSE x.owner END,
        resolution = CASE what WHEN 'resolved' THEN how WHEN 'reopened' THEN NULL
                               ELSE x.resolution END,
        closed_reason = CASE what WHEN 'resolved' THEN say WHEN 'reopened' THEN NULL
                                  ELSE x.closed_reason END,
        changed = now()
    WHERE x.repository = a.repository AND x.id = a.id;
    PERFORM store.alert_tell(a.repository, a.id, what, by,
        CASE WHEN what = 'assigned' THEN concat_ws(': ', coalesce(new_owner, 'nobody'), say)
             WHEN what = 'resolved' THEN concat_ws(': ', how, say)
             ELSE say END);
END
$$;
COMMENT ON FUNCTION store.alert_act IS 'One step of a person, or of the service, with an alert.';

-- ALERT of common/wire/README.md.
CREATE FUNCTION store.alert_json(of_repository integer, of_alert bigint) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', a.id, 'kind', a.kind, 'repository', r.name, 'sha', a.head, 'short', left(a.head, 7),
        'subject', c.subject, 'author', c.author, 'base', u.base, 'sentence', a.sentence,
        'state', a.state, 'owner', a.owner, 'resolution', a.resolution,
        'created', to_char(a.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'changed', to_char(a.changed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'change', a.change, 'low', a.low, 'high', a.high, 'metric', m.name, 'workload', w.name,
        'workloads', (SELECT coalesce(json_agg(json_build_object(
                'workload', x.name, 'metric', y.name, 'size', k.size,
                'change', CASE WHEN k.scale = 'log' THEN exp(k.estimate) - 1
                               ELSE k.estimate / nullif(k.base_value, 0) END)
                ORDER BY abs(k.estimate) DESC, x.name), '[]')
            FROM store.comparison k
            JOIN store.workload x ON x.repository = k.repository AND x.id = k.workload
            JOIN store.metric y ON y.id = k.metric
            WHERE k.repository = a.repository AND k.run = a.run AND k.decides
              AND k.verdict = 'regressed'),
        'run', a.run, 'confirmed_by', u.confirmed_by, 'cause', a.cause,
        'closed_reason', a.closed_reason, 'reproduce', u.reproduce, 'detail', a.detail)
    FROM store.alert a
    JOIN store.repository r ON r.id = a.repository
    JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
    JOIN store.metric m ON m.id = a.metric
    JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
    JOIN store.run u ON u.repository = a.repository AND u.id = a.run
    WHERE a.repository = of_repository AND a.id = of_alert
$$;
COMMENT ON FUNCTION store.alert_json IS 'An alert as the API shows it: one commit, with all workloads that it made worse.';
GRANT EXECUTE ON FUNCTION store.alert_json, store.alert_act, store.alert_tell TO hakperf_collector;

CREATE OR REPLACE VIEW hakperf.alerts AS
SELECT r.name AS repository,
       a.created,
       a.state,
       left(a.head, 7) AS commit,
       c.subject,
       w.name AS workload,
       round((100 * a.change)::numeric, 2) AS change_percent,
       a.sentence,
       a.id AS alert,
       a.run,
       a.cause,
       a.closed_reason,
       a.changed,
       a.kind,
       a.owner,
       a.resolution,
       u.reproduce,
       a.head AS sha
FROM store.alert a
JOIN store.repository r ON r.id = a.repository
JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
JOIN store.run u ON u.repository = a.repository AND u.id = a.run
ORDER BY a.created DESC, a.id DESC;
COMMENT ON COLUMN hakperf.alerts.state IS 'open, acknowledged or resolved';
COMMENT ON COLUMN hakperf.alerts.kind IS 'regression (one commit), accumulated (small ones in a row) or selftest (the service itself is sick)';
COMMENT ON COLUMN hakperf.alerts.resolution IS 'fixed, reverted, accepted, or false: no regression after all';
COMMENT ON COLUMN hakperf.alerts.reproduce IS 'the command line that measures it again';
