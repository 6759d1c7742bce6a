-- The shape that the design promises: keys, partitions, roles, functions.
BEGIN;
SELECT plan(14);

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

SELECT is_partitioned('store', 'sample_set', 'samples are partitioned');
SELECT is(store.make_partitions(6), 3, 'partitions are made ahead');
SELECT is(store.make_partitions(6), 0, 'and made once');
SELECT is_empty($$
    SELECT FROM pg_inherits i
    WHERE i.inhparent = 'store.sample_set'::regclass
      AND has_table_privilege('hakperf_reader', i.inhrelid, 'SELECT')
$$, 'the reader sees no partition');

-- A month that has rows in the default partition stays there.
INSERT INTO store.repository (name, url) VALUES ('r', 'u');
INSERT INTO store.sample_set (repository, stored, run, workload, metric, arm, samples)
    SELECT id, date_trunc('month', now()) + interval '8 months', gen_random_uuid(), 1, 1, 'head',
           '{1}'
    FROM store.repository;
SELECT is((SELECT count(*) FROM store.sample_set_default), 1::bigint, 'no month is refused');
SELECT is(store.make_partitions(9), 2, 'nor does it stop the others');

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
