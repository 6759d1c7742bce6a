-- The shape that the design promises: keys, partitions, roles, functions.
BEGIN;
SELECT plan(23);

SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'repository'
    WHERE c.relnamespace = 'store'::regnamespace AND k.conkey[1] <> a.attnum
$$, 'the repository leads every key of repository data');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'store'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
$$, 'every table has a primary key');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace IN ('store'::regnamespace, 'hakperf'::regnamespace)
      AND pg_get_userbyid(c.relowner) <> 'hakperf_owner'
$$, 'the owner owns everything');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'hakperf'::regnamespace AND c.relkind = 'v'
      AND obj_description(c.oid) IS NULL
    UNION ALL
    SELECT p.proname FROM pg_proc p
    WHERE p.pronamespace = 'hakperf'::regnamespace AND obj_description(p.oid) IS NULL
$$, 'everything that people see is described');
SELECT is_empty($$
    SELECT c.relname || '.' || a.attname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'hakperf'::regnamespace AND c.relkind = 'v'
      AND coalesce(col_description(c.oid, a.attnum), '') = ''
$$, 'every column of every view is described');

SELECT is_partitioned('store', 'sample_set', 'samples are partitioned');
SELECT is(store.make_partitions(6), 3, 'partitions are made ahead');
SELECT is(store.make_partitions(6), 0, 'and made once');
SELECT is_empty($$
    SELECT FROM pg_inherits i
    WHERE i.inhparent = 'store.sample_set'::regclass
      AND has_table_privilege('hakperf_reader', i.inhrelid, 'SELECT')
$$, 'the reader sees no partition');

-- A month whose rows lie in the default partition gets a partition with them.
INSERT INTO store.repository (name, url) VALUES ('r', 'u');
INSERT INTO store.sample_set (repository, stored, run, workload, metric, arm, samples)
    SELECT id, date_trunc('month', now()) + interval '8 months', gen_random_uuid(), 1, 1, 'head',
           '{1}'
    FROM store.repository;
SELECT is((SELECT count(*) FROM store.sample_set_default), 1::bigint, 'no month is refused');
SELECT is(store.make_partitions(9), 3, 'the month and the others are made');
SELECT is((SELECT count(*) FROM store.sample_set_default), 0::bigint, 'the default is drained');
SELECT is((SELECT count(*) FROM store.sample_set), 1::bigint, 'and nothing lost');

-- Old months go, the present and the months that were asked for stay.
INSERT INTO store.sample_set (repository, stored, run, workload, metric, arm, samples)
    SELECT id, date_trunc('month', now()) - make_interval(months => m), gen_random_uuid(), 1, 1,
           'head', '{1}'
    FROM store.repository, generate_series(1, 4) m;
SELECT is(store.make_partitions(3), 4, 'months of the past are drained too');
SELECT is(store.drop_old(2), 2, 'what is older than two months is dropped');
SELECT is((SELECT count(*) FROM store.sample_set), 3::bigint, 'and nothing else');
SELECT throws_ok('SELECT store.drop_old(0)', 'HP422', NULL, 'the present month is never dropped');

SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'store'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND has_table_privilege('hakperf_reader', c.oid, 'SELECT, INSERT, UPDATE, DELETE')
$$, 'the reader sees views of hakperf and nothing of the store');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'hakperf'::regnamespace
      AND (has_table_privilege('hakperf_reader', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR NOT has_table_privilege('hakperf_reader', c.oid, 'SELECT'))
$$, 'all of them, and only to read');
SELECT has_role('hakperf_collector');
SELECT has_role('hakperf_reader');
SELECT is_empty($$
    SELECT rolname FROM pg_roles
    WHERE rolname IN ('hakperf_collector', 'hakperf_reader')
      AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
$$, 'collector and reader have no rights beyond their tables');
SELECT is_empty($$
    SELECT p.proname FROM pg_proc p
    WHERE p.pronamespace IN ('store'::regnamespace, 'hakperf'::regnamespace)
      AND p.prosecdef AND p.proconfig IS NULL
$$, 'functions with the owner''s rights fix their search path');

SELECT * FROM finish();
ROLLBACK;
