-- What the first line of repository $1's archive says (program version $2), then the tables that
-- follow, in an order in which each finds what it refers to.
SELECT json_build_object(
    'format', 'hakperf-archive-v1', 'version', $2::text,
    'schema', (SELECT max(number) FROM store.migration),
    'exported', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'repository', r.name, 'numbers', store.archive_numbers(r.id)),
    (SELECT json_agg(t.name ORDER BY t.depth, t.name)
     FROM (SELECT name, depth FROM store.archive_table UNION ALL VALUES ('repository', -2), ('metric', -1)) t)
FROM store.repository r WHERE r.id = $1::integer
