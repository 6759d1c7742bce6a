-- Alert $1 with its history, oldest step first. No row where there is none.
SELECT a.shown::jsonb || jsonb_build_object('history',
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'who', e.who,
        'action', e.action, 'note', e.note) ORDER BY e.id), '[]')
     FROM store.alert_event e WHERE e.repository = a.repository AND e.alert = a.id))
FROM store.alert_shown a
WHERE a.id = $1::bigint
