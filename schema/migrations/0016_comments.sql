-- Every column that people see says what it is; `\d+ hakperf.history` shows it. And a job that a row
-- names travels with the jobs of an archive, whether the column is a foreign key or not.
SET LOCAL ROLE hakperf_owner;

-- The columns that travel. numbers_of: the table whose numbers its value is one of, or several.
CREATE OR REPLACE VIEW store.archive_column AS
SELECT t.name AS of_table, a.attname::text AS name, a.attnum AS place,
       format_type(a.atttypid, a.atttypmod) AS type,
       a.attname = 'metric' AS is_metric,
       CASE WHEN t.numbered AND a.attname = 'id' THEN t.name
            WHEN t.name = 'job' AND a.attname = 'depends_on'
                 OR a.attname = 'job' AND a.atttypid = 'bigint'::regtype THEN 'job'
            ELSE (SELECT p.name FROM pg_constraint k
                  JOIN store.archive_table p ON p.id = k.confrelid AND p.numbered
                  JOIN pg_attribute i ON i.attrelid = p.id AND i.attname = 'id'
                  WHERE k.conrelid = t.id AND k.contype = 'f'
                    AND k.confkey[array_position(k.conkey, a.attnum)] = i.attnum
                  LIMIT 1) END AS numbers_of
FROM store.archive_table t
JOIN pg_attribute a ON a.attrelid = t.id AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = '' AND a.attname <> 'repository' AND a.atttypid <> 'xid8'::regtype
UNION ALL
SELECT 'repository', a.attname::text, a.attnum, format_type(a.atttypid, a.atttypmod), false, NULL
FROM pg_attribute a
WHERE a.attrelid = 'store.repository'::regclass AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attname <> 'id'
UNION ALL
SELECT 'metric', a.attname::text, a.attnum, format_type(a.atttypid, a.atttypmod), false, NULL
FROM pg_attribute a
WHERE a.attrelid = 'store.metric'::regclass AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attname <> 'id';

COMMENT ON COLUMN hakperf.alert_history.repository IS 'its name';
COMMENT ON COLUMN hakperf.alert_history.at IS 'when';
COMMENT ON COLUMN hakperf.alert_history.alert IS 'the alert, by its number';
COMMENT ON COLUMN hakperf.alert_history.who IS 'who did it';
COMMENT ON COLUMN hakperf.alert_history.action IS 'opened, acknowledged, assigned, noted, resolved or reopened';
COMMENT ON COLUMN hakperf.alert_history.note IS 'what was said with it';

COMMENT ON COLUMN hakperf.alerts.repository IS 'its name';
COMMENT ON COLUMN hakperf.alerts.created IS 'when it was opened';
COMMENT ON COLUMN hakperf.alerts.commit IS 'short name';
COMMENT ON COLUMN hakperf.alerts.subject IS 'first line of the commit''s message';
COMMENT ON COLUMN hakperf.alerts.workload IS 'the workload that decided';
COMMENT ON COLUMN hakperf.alerts.change_percent IS 'change of the metric that decided; negative is less';
COMMENT ON COLUMN hakperf.alerts.sentence IS 'the verdict in words';
COMMENT ON COLUMN hakperf.alerts.alert IS 'its number, as `hakperf alerts` takes it';
COMMENT ON COLUMN hakperf.alerts.run IS 'the run that found it';
COMMENT ON COLUMN hakperf.alerts.cause IS 'what changed together with it, the likeliest first';
COMMENT ON COLUMN hakperf.alerts.closed_reason IS 'what was said when it was resolved';
COMMENT ON COLUMN hakperf.alerts.changed IS 'when it was last changed';
COMMENT ON COLUMN hakperf.alerts.owner IS 'who takes care of it; NULL: nobody yet';
COMMENT ON COLUMN hakperf.alerts.sha IS 'the commit, whole name';

COMMENT ON COLUMN hakperf.builds.repository IS 'its name';
COMMENT ON COLUMN hakperf.builds.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.builds.commit IS 'what was built, short';
COMMENT ON COLUMN hakperf.builds.arm IS 'head, base or control';
COMMENT ON COLUMN hakperf.builds.compiler IS 'name and version';
COMMENT ON COLUMN hakperf.builds.build_seconds IS 'time of the build; NULL where it came from the cache';
COMMENT ON COLUMN hakperf.builds.cached IS 'whether it came from the cache';
COMMENT ON COLUMN hakperf.builds.code IS 'hash of the machine code, short: equal means the same program';
COMMENT ON COLUMN hakperf.builds.log IS 'what the build printed';
COMMENT ON COLUMN hakperf.builds.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.builds.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.change_points.repository IS 'its name';
COMMENT ON COLUMN hakperf.change_points.commit IS 'the first of the new level, short';
COMMENT ON COLUMN hakperf.change_points.subject IS 'first line of the commit''s message';
COMMENT ON COLUMN hakperf.change_points.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.change_points.change_percent IS 'step of the level';
COMMENT ON COLUMN hakperf.change_points.epoch IS 'by its number; see epochs';
COMMENT ON COLUMN hakperf.change_points.p IS 'chance of such a step without a change';
COMMENT ON COLUMN hakperf.change_points.committed IS 'when it was committed';
COMMENT ON COLUMN hakperf.change_points.found IS 'when it was found';
COMMENT ON COLUMN hakperf.change_points.before IS 'level before it';
COMMENT ON COLUMN hakperf.change_points.after IS 'level after it';
COMMENT ON COLUMN hakperf.change_points.sha IS 'the commit, whole name';

COMMENT ON COLUMN hakperf.changed_functions.repository IS 'its name';
COMMENT ON COLUMN hakperf.changed_functions.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.changed_functions.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.changed_functions.workload IS '(any): the sum over all';
COMMENT ON COLUMN hakperf.changed_functions.file IS 'path in the repository';
COMMENT ON COLUMN hakperf.changed_functions."function" IS 'its name';
COMMENT ON COLUMN hakperf.changed_functions.line IS 'where it begins';
COMMENT ON COLUMN hakperf.changed_functions.executed IS 'whether it was called at all';
COMMENT ON COLUMN hakperf.changed_functions.calls IS 'how often; NULL where it was not counted';
COMMENT ON COLUMN hakperf.changed_functions.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.changed_functions.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.commits.repository IS 'its name';
COMMENT ON COLUMN hakperf.commits.committed IS 'when it was committed';
COMMENT ON COLUMN hakperf.commits.commit IS 'short name';
COMMENT ON COLUMN hakperf.commits.author IS 'who wrote it';
COMMENT ON COLUMN hakperf.commits.subject IS 'first line of the commit''s message';
COMMENT ON COLUMN hakperf.commits.reverted_by IS 'the commit that took it back; NULL: none';
COMMENT ON COLUMN hakperf.commits.parents IS 'whole names, the first parent first';
COMMENT ON COLUMN hakperf.commits.position IS 'number of first parents behind it';
COMMENT ON COLUMN hakperf.commits.sha IS 'the commit, whole name';

COMMENT ON COLUMN hakperf.comparisons.repository IS 'its name';
COMMENT ON COLUMN hakperf.comparisons.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.comparisons.base IS 'the commit it is held against, short; NULL: none';
COMMENT ON COLUMN hakperf.comparisons.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.comparisons.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.comparisons.metric IS 'by its name; counters of the library are counter:NAME';
COMMENT ON COLUMN hakperf.comparisons.verdict IS 'regressed, improved, equivalent, inconclusive, identical or failed';
COMMENT ON COLUMN hakperf.comparisons.size IS 'small or relevant, of regressed and improved';
COMMENT ON COLUMN hakperf.comparisons.change_percent IS 'estimate of head against base; negative is less';
COMMENT ON COLUMN hakperf.comparisons.low_percent IS 'lower end of the interval';
COMMENT ON COLUMN hakperf.comparisons.high_percent IS 'upper end of the interval';
COMMENT ON COLUMN hakperf.comparisons.pairs IS 'pairs of samples behind it';
COMMENT ON COLUMN hakperf.comparisons.detectable_percent IS 'smallest change that such a run shows nine times in ten';
COMMENT ON COLUMN hakperf.comparisons.reason IS 'why it is so, in words; NULL where there is nothing to say';
COMMENT ON COLUMN hakperf.comparisons.run IS 'the run, by its id';
COMMENT ON COLUMN hakperf.comparisons.gates IS 'whether the metric counts for the workload''s verdict';
COMMENT ON COLUMN hakperf.comparisons.decides IS 'whether it is the metric whose verdict is the workload''s';
COMMENT ON COLUMN hakperf.comparisons.adjusted IS 'of a metric that does not gate: its chance without a change, adjusted over the run';
COMMENT ON COLUMN hakperf.comparisons.kind IS 'what the job was for: commit, compare, confirm, bisect, backfill, aa, canary or bridge';
COMMENT ON COLUMN hakperf.comparisons.confirmation IS 'of a relevant regression: pending, confirmed by a fresh run, refuted or unanswered; NULL for others';

COMMENT ON COLUMN hakperf.configurations.repository IS 'its name';
COMMENT ON COLUMN hakperf.configurations.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.configurations.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.configurations.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.configurations.arm IS 'head, base or control';
COMMENT ON COLUMN hakperf.configurations.option IS 'name of an environment variable of the library';
COMMENT ON COLUMN hakperf.configurations.value IS 'what was in force';
COMMENT ON COLUMN hakperf.configurations.source IS 'default or environment';
COMMENT ON COLUMN hakperf.configurations.ignored IS 'whether this build ignores it';
COMMENT ON COLUMN hakperf.configurations.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.coverage.repository IS 'its name';
COMMENT ON COLUMN hakperf.coverage.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.coverage.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.coverage.workload IS '(any): at least one of them';
COMMENT ON COLUMN hakperf.coverage.functions IS 'functions that the diff touches';
COMMENT ON COLUMN hakperf.coverage.functions_executed IS 'of them, those that were called';
COMMENT ON COLUMN hakperf.coverage.lines_changed IS 'lines that the diff adds or alters';
COMMENT ON COLUMN hakperf.coverage.lines_executed IS 'lines of code that ran';
COMMENT ON COLUMN hakperf.coverage.missing IS 'why there is no value; NULL where there is one';
COMMENT ON COLUMN hakperf.coverage.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.coverage.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.epochs.repository IS 'its name';
COMMENT ON COLUMN hakperf.epochs.epoch IS 'its number';
COMMENT ON COLUMN hakperf.epochs.runner IS 'the name of the runner that measured';
COMMENT ON COLUMN hakperf.epochs.started IS 'when its first run was stored';
COMMENT ON COLUMN hakperf.epochs.machine IS 'fingerprint, short';
COMMENT ON COLUMN hakperf.epochs.kernel IS 'release of the kernel';
COMMENT ON COLUMN hakperf.epochs.compiler IS 'name and version';
COMMENT ON COLUMN hakperf.epochs.driver IS 'hash of the benchmark driver, short';
COMMENT ON COLUMN hakperf.epochs.runs IS 'how many runs belong to it';

COMMENT ON COLUMN hakperf.history.repository IS 'its name';
COMMENT ON COLUMN hakperf.history.committed IS 'when it was committed';
COMMENT ON COLUMN hakperf.history.commit IS 'short name';
COMMENT ON COLUMN hakperf.history.subject IS 'first line of the commit''s message';
COMMENT ON COLUMN hakperf.history.workload IS 'the one that decided';
COMMENT ON COLUMN hakperf.history.reason IS 'why there is no verdict, or no better one';
COMMENT ON COLUMN hakperf.history.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.history.run IS 'its last run against its parent';

COMMENT ON COLUMN hakperf.jobs.repository IS 'its name';
COMMENT ON COLUMN hakperf.jobs.job IS 'its number, as `hakperf queue` takes it';
COMMENT ON COLUMN hakperf.jobs.kind IS 'what the job was for: commit, compare, confirm, bisect, backfill, aa, canary or bridge';
COMMENT ON COLUMN hakperf.jobs.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.jobs.base IS 'the commit it is held against, short; NULL: none';
COMMENT ON COLUMN hakperf.jobs.attempt IS 'how often it was claimed';
COMMENT ON COLUMN hakperf.jobs.runner IS 'who works or worked on it';
COMMENT ON COLUMN hakperf.jobs.created IS 'when it began to exist';
COMMENT ON COLUMN hakperf.jobs.started IS 'when it was claimed last';
COMMENT ON COLUMN hakperf.jobs.finished IS 'when it ended';
COMMENT ON COLUMN hakperf.jobs.reason IS 'why it is dead, or why the last attempt ended';
COMMENT ON COLUMN hakperf.jobs.priority IS 'higher goes first; 0 and less fill gaps';
COMMENT ON COLUMN hakperf.jobs.depends_on IS 'jobs that have to be done before';
COMMENT ON COLUMN hakperf.jobs.only_runner IS 'the one runner that may claim it; NULL: any';

COMMENT ON COLUMN hakperf.machines.repository IS 'its name';
COMMENT ON COLUMN hakperf.machines.machine IS 'fingerprint, short';
COMMENT ON COLUMN hakperf.machines.first_seen IS 'when it measured first';
COMMENT ON COLUMN hakperf.machines.facts IS 'what identifies it';

COMMENT ON COLUMN hakperf.measurements.repository IS 'its name';
COMMENT ON COLUMN hakperf.measurements.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.measurements.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.measurements.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.measurements.metric IS 'by its name; counters of the library are counter:NAME';
COMMENT ON COLUMN hakperf.measurements.arm IS 'head, base or control';
COMMENT ON COLUMN hakperf.measurements.value IS 'median of the samples, or the one value';
COMMENT ON COLUMN hakperf.measurements.low IS 'lower end of its 95 % interval';
COMMENT ON COLUMN hakperf.measurements.high IS 'upper end of its 95 % interval';
COMMENT ON COLUMN hakperf.measurements.n IS 'samples behind the value';
COMMENT ON COLUMN hakperf.measurements.unit IS 'of the value';
COMMENT ON COLUMN hakperf.measurements.better IS 'higher, lower or neither';
COMMENT ON COLUMN hakperf.measurements.missing IS 'why there is no value; NULL where there is one';
COMMENT ON COLUMN hakperf.measurements.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.measurements.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.memory.repository IS 'its name';
COMMENT ON COLUMN hakperf.memory.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.memory.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.memory.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.memory.arm IS 'head, base or control';
COMMENT ON COLUMN hakperf.memory.seconds IS 'since the start of the execution';
COMMENT ON COLUMN hakperf.memory.kib IS 'resident memory';
COMMENT ON COLUMN hakperf.memory.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.memory.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.profiles.repository IS 'its name';
COMMENT ON COLUMN hakperf.profiles.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.profiles.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.profiles.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.profiles.arm IS 'head, base or control';
COMMENT ON COLUMN hakperf.profiles.event IS 'what was sampled, as perf calls it';
COMMENT ON COLUMN hakperf.profiles.frequency IS 'samples a second';
COMMENT ON COLUMN hakperf.profiles.samples IS 'how many';
COMMENT ON COLUMN hakperf.profiles.lost IS 'lost by perf, or left out of the smallest stacks';
COMMENT ON COLUMN hakperf.profiles.missing IS 'why there is no value; NULL where there is one';
COMMENT ON COLUMN hakperf.profiles.folded IS 'a line a stack, frame;frame COUNT';
COMMENT ON COLUMN hakperf.profiles.sha IS 'the commit, whole name';
COMMENT ON COLUMN hakperf.profiles.run IS 'the run, by its id';

COMMENT ON COLUMN hakperf.runs.repository IS 'its name';
COMMENT ON COLUMN hakperf.runs.measured IS 'when the run was finished';
COMMENT ON COLUMN hakperf.runs.head IS 'the commit under test, short';
COMMENT ON COLUMN hakperf.runs.base IS 'the commit it is held against, short; NULL: none';
COMMENT ON COLUMN hakperf.runs.status IS 'measured, identical or failed';
COMMENT ON COLUMN hakperf.runs.verdict IS 'the worst of its workloads; NULL where nothing was compared';
COMMENT ON COLUMN hakperf.runs.size IS 'small or relevant, of regressed and improved';
COMMENT ON COLUMN hakperf.runs.duration IS 'from its begin to its end';
COMMENT ON COLUMN hakperf.runs.runner IS 'the name of the runner that measured';
COMMENT ON COLUMN hakperf.runs.machine IS 'fingerprint, short; see machines';
COMMENT ON COLUMN hakperf.runs.sandbox IS 'bwrap, or none';
COMMENT ON COLUMN hakperf.runs.failure_stage IS 'source, build, run, validity or runner';
COMMENT ON COLUMN hakperf.runs.failure_message IS 'what went wrong';
COMMENT ON COLUMN hakperf.runs.failure_log IS 'the end of what was printed then';
COMMENT ON COLUMN hakperf.runs.warnings IS 'how many things were odd';
COMMENT ON COLUMN hakperf.runs.reproduce IS 'the command line that repeats it';
COMMENT ON COLUMN hakperf.runs.head_sha IS 'the commit under test, whole name';
COMMENT ON COLUMN hakperf.runs.base_sha IS 'the commit it is held against, whole name';
COMMENT ON COLUMN hakperf.runs.run IS 'its id';
COMMENT ON COLUMN hakperf.runs.kind IS 'what the job was for: commit, compare, confirm, bisect, backfill, aa, canary or bridge';
COMMENT ON COLUMN hakperf.runs.epoch IS 'by its number; see epochs';
COMMENT ON COLUMN hakperf.runs.job IS 'by its number';

COMMENT ON COLUMN hakperf.suspects.repository IS 'its name';
COMMENT ON COLUMN hakperf.suspects.created IS 'when it began to exist';
COMMENT ON COLUMN hakperf.suspects.workload IS 'by its name in the suite';
COMMENT ON COLUMN hakperf.suspects.good IS 'the last commit before it in the series, short';
COMMENT ON COLUMN hakperf.suspects.bad IS 'the commit that looked bad, short';
COMMENT ON COLUMN hakperf.suspects.low IS 'newest commit known to be on the old level, short';
COMMENT ON COLUMN hakperf.suspects.high IS 'oldest commit known to be on the new one, short';
COMMENT ON COLUMN hakperf.suspects.reason IS 'why it is so, in words; NULL where there is nothing to say';
COMMENT ON COLUMN hakperf.suspects.budget IS 'runs that may still be spent';
COMMENT ON COLUMN hakperf.suspects.skipped IS 'commits in between that could not be measured';
COMMENT ON COLUMN hakperf.suspects.job IS 'the job it waits for';
COMMENT ON COLUMN hakperf.suspects.evidence IS 'the last run that found it between the two';
COMMENT ON COLUMN hakperf.suspects.changed IS 'when it was last changed';
