-- LOG ENTRY and last run of commit $2 of repository $1, and the run's id.
SELECT json_build_object(
    'run_id', c.run,
    'compared', u.verdict IS NOT NULL,
    'commit', json_build_object(
        'sha', c.sha, 'short', left(c.sha, 7), 'subject', c.subject, 'author', c.author,
        'time', to_char(c.committed, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'parents', to_json(c.parents),
        'state', c.state, 'verdict', c.verdict, 'size', c.size, 'change', exp(c.estimate) - 1,
        'metric', m.name, 'unit', m.unit, 'better', m.better, 'value', c.value,
        'throughput', c.throughput, 'kernel_share', c.kernel_share,
        'ace_failures', c.ace_failures, 'workload', c.workload, 'reason', c.reason),
    'run', CASE WHEN c.run IS NOT NULL THEN json_build_object(
        'id', u.id, 'job', u.job, 'attempt', u.attempt, 'status', u.status,
        'failure', CASE WHEN u.failure_stage IS NOT NULL THEN json_build_object(
            'stage', u.failure_stage, 'arm', u.failure_arm, 'message', u.failure_message,
            'log', u.failure_log) END,
        'started', to_char(u.started, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'finished', to_char(u.finished, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'runner', u.runner, 'runner_version', u.runner_version, 'machine', left(u.machine, 12),
        'sandbox', u.sandbox, 'suite_hash', u.suite_hash, 'driver_sha', u.driver_sha,
        'driver_hash', u.driver_hash, 'warnings', to_json(u.warnings), 'reproduce', u.reproduce,
        'arms', (SELECT coalesce(json_agg(json_build_object(
                     'name', a.name, 'sha', a.sha, 'artifact_hash', a.artifact_hash,
                     'code_hash', a.code_hash, 'compiler', a.compiler,
                     'build_seconds', a.build_seconds, 'cached', a.cached, 'log', a.log)
                     ORDER BY a.name = 'head' DESC, a.name), '[]')
                 FROM store.arm a WHERE a.repository = u.repository AND a.run = u.id)) END)
FROM store.commit_state c
LEFT JOIN store.metric m ON m.id = c.metric
LEFT JOIN store.run u ON u.repository = c.repository AND u.id = c.run
WHERE c.repository = $1::integer AND c.sha = $2
