-- What the tables refuse, whoever writes.
BEGIN;
SELECT plan(29);

INSERT INTO store.repository (name, url) VALUES ('r', 'u');
INSERT INTO store.suite (repository, hash, name, document, driver_sha)
    SELECT id, repeat('a', 64), 's', '{}', repeat('d', 40) FROM store.repository;
INSERT INTO store.commit (repository, sha, position, author, subject, committed)
    SELECT id, repeat(digit, 40), 0, 'a', 's', now()
    FROM store.repository, unnest(ARRAY['1', '2']) digit;

CREATE FUNCTION pg_temp.job(text, text) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO store.job (repository, kind, head, base, suite_hash) '
                  'SELECT id, ''commit'', %L, %L, repeat(''a'', 64) FROM store.repository', $1, $2)
$$;

SELECT throws_ok($$INSERT INTO store.repository (name, url) VALUES ('r', 'u')$$, '23505', NULL,
    'a repository has one name');
SELECT throws_ok($$INSERT INTO store.repository (name, url) VALUES ('../r', 'u')$$, '23514', NULL,
    'a name is no path');
SELECT throws_ok($$UPDATE store.repository SET suite_hash = repeat('b', 64)$$, '23503', NULL,
    'the suite in force exists');
SELECT throws_ok($$INSERT INTO store.commit (repository, sha, position, author, subject, committed)
    SELECT id, 'abc', 0, 'a', 's', now() FROM store.repository$$, '23514', NULL,
    'a commit has a full hash');

SELECT lives_ok(pg_temp.job(repeat('1', 40), NULL), 'a job of a commit without parent');
SELECT throws_ok(pg_temp.job(repeat('1', 40), NULL), '23505', NULL, 'a commit waits once');
SELECT lives_ok(pg_temp.job(repeat('1', 40), repeat('2', 40)), 'another base is another job');
SELECT throws_ok(pg_temp.job(repeat('3', 40), NULL), '23503', NULL,
    'a job measures a known commit');
SELECT throws_ok($$UPDATE store.job SET state = 'running' WHERE base IS NULL$$, '23514', NULL,
    'a running job has a runner, a run and a lease');
SELECT throws_ok($$UPDATE store.job SET state = 'done' WHERE base IS NULL$$, '23514', NULL,
    'what is done has ended');
SELECT throws_ok($$UPDATE store.job SET finished = now() WHERE base IS NULL$$, '23514', NULL,
    'what waits has not ended');
SELECT lives_ok($$UPDATE store.job SET state = 'dead', finished = now() WHERE base IS NULL$$,
    'a job may be given up');
SELECT lives_ok(pg_temp.job(repeat('1', 40), NULL), 'then the commit may wait again');

SELECT lives_ok($$UPDATE store.job SET state = 'cancelled', finished = now() WHERE state = 'queued'$$,
    'a waiting job may be called off');
SELECT throws_ok($$UPDATE store.job SET state = 'lost'$$, '23514', NULL, 'states are known words');
SELECT throws_ok($$UPDATE store.job SET kind = 'nightly'$$, '23514', NULL, 'kinds are known words');
SELECT throws_ok($$INSERT INTO store.job (repository, kind, head, suite_hash, depends_on)
    SELECT id, 'bisect', repeat('1', 40), repeat('a', 64), '{99}' FROM store.repository$$, 'HP422', NULL,
    'a job depends on jobs that are there');
SELECT lives_ok($$INSERT INTO store.job (repository, kind, head, suite_hash, depends_on)
    SELECT repository, 'bisect', repeat('1', 40), repeat('a', 64), ARRAY[min(id)]
    FROM store.job GROUP BY repository$$, 'such as an earlier one');
SELECT throws_ok($$UPDATE store.job SET depends_on = ARRAY[id] WHERE kind = 'bisect'$$, 'HP422', NULL,
    'never on itself');
SELECT throws_ok($$INSERT INTO store.epoch (repository, runner, machine)
    SELECT id, 'x', repeat('0', 64) FROM store.repository$$, '23503', NULL,
    'an epoch is one of a known machine');
SELECT throws_ok($$INSERT INTO store.ref_tip (repository, ref, sha, watched)
    SELECT id, 'refs/heads/x', repeat('1', 40), NULL FROM store.repository$$, '23502', NULL,
    'a branch is watched or not');

INSERT INTO store.machine (repository, fingerprint, facts)
    SELECT id, repeat('e', 64), '{}' FROM store.repository;
CREATE FUNCTION pg_temp.run(verdict text, size text, status text, stage text) RETURNS text
LANGUAGE sql AS $$
    SELECT format('INSERT INTO store.run (repository, id, job, attempt, kind, head, against_parent,'
        ' suite_hash, status, verdict, size, failure_stage, failure_message, started, finished,'
        ' runner, runner_version, machine, sandbox, reproduce)'
        ' SELECT repository, gen_random_uuid(), id, 1, kind, head, true, suite_hash, %L, %L, %L,'
        ' %L, %L, now(), now(), ''x'', ''1'', repeat(''e'', 64), ''none'', ''x'''
        ' FROM store.job LIMIT 1', status, verdict, size, stage, stage)
$$;
SELECT lives_ok(pg_temp.run('regressed', 'small', 'measured', NULL), 'a measured run');
SELECT throws_ok(pg_temp.run('regressed', NULL, 'measured', NULL), '23514', NULL,
    'a regression has a size');
SELECT throws_ok(pg_temp.run('equivalent', 'small', 'measured', NULL), '23514', NULL,
    'what did not change has none');
SELECT throws_ok(pg_temp.run('failed', NULL, 'failed', NULL), '23514', NULL,
    'a failure has a stage');
SELECT throws_ok(pg_temp.run('slower', NULL, 'measured', NULL), '23514', NULL,
    'verdicts are known words');

INSERT INTO store.workload (repository, name, hash)
    SELECT id, 'w', repeat('f', 64) FROM store.repository;
INSERT INTO store.metric (name, unit, better) VALUES ('m', 's', 'lower');
INSERT INTO store.run_workload (repository, run, workload, status, margin, layout_sd, max_pairs,
        coin_seed, pairs, first_arm, second_arm, pair_seed, pair_order, pair_layout)
    SELECT r.repository, r.id, w.id, 'measured', 0.01, 0, 1, 0, 1, 'head', 'base', '{42}', '{0}',
           '{0}'
    FROM store.run r, store.workload w;
CREATE FUNCTION pg_temp.figure(median text, missing text) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO store.measurement (repository, run, workload, metric, arm, n,'
        ' median, missing) SELECT x.repository, x.run, x.workload, m.id, ''head'', 1, %s, %L'
        ' FROM store.run_workload x, store.metric m', coalesce(median, 'NULL'), missing)
$$;
SELECT throws_ok(pg_temp.figure(NULL, NULL), '23514', NULL, 'a missing value has a reason');
SELECT throws_ok(pg_temp.figure('1', 'why'), '23514', NULL, 'a value has none');
SELECT lives_ok(pg_temp.figure(NULL, 'why'), 'missing, and why');

SELECT * FROM finish();
ROLLBACK;
