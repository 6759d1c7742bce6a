-- The whole history of a repository as lines of JSON, and back. What belongs to a repository is read
-- from the catalog: every table with a column `repository`, parents before children, every column but
-- those that mean something in this database alone. Metrics travel by name. Numbers of jobs, alerts
-- and the like are kept, or moved together where the other database uses them already.
SET LOCAL ROLE hakperf_owner;

CREATE VIEW store.archive_table AS
WITH RECURSIVE pointing AS (
    SELECT DISTINCT k.conrelid AS child, k.confrelid AS parent
    FROM pg_constraint k
    WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
      AND k.conrelid <> 'store.repository'::regclass
), placed AS (
    SELECT 'store.repository'::regclass::oid AS child, 0 AS depth
    UNION
    SELECT p.child, q.depth + 1 FROM placed q JOIN pointing p ON p.parent = q.child
    WHERE q.depth < 30
)
SELECT c.oid AS id, c.relname::text AS name,
       coalesce((SELECT max(p.depth) FROM placed p WHERE p.child = c.oid), 30) AS depth,
       coalesce((SELECT i.attidentity <> '' FROM pg_attribute i
                 WHERE i.attrelid = c.oid AND i.attname = 'id'), false)
           AND c.relname NOT IN ('workload', 'epoch') AS numbered
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'repository' AND NOT a.attisdropped
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'store')
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'outbox';
COMMENT ON VIEW store.archive_table IS
    'The tables of a repository''s history. numbered: its ids are looked up without their repository, so that no two may be equal.';

-- The columns that travel. numbers_of: the table whose numbers its value is one of, or several.
CREATE VIEW store.archive_column AS
SELECT t.name AS of_table, a.attname::text AS name, a.attnum AS place,
       format_type(a.atttypid, a.atttypmod) AS type,
       a.attname = 'metric' AS is_metric,
       CASE WHEN t.numbered AND a.attname = 'id' THEN t.name
            WHEN t.name = 'job' AND a.attname = 'depends_on' THEN 'job'
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
COMMENT ON VIEW store.archive_column IS 'What travels of each table of a repository''s history.';

-- The smallest and largest number of each numbered table.
CREATE FUNCTION store.archive_numbers(of_repository integer) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    least_most bigint[];
    out jsonb := '{}';
BEGIN
    FOR t IN SELECT a.name FROM store.archive_table a WHERE a.numbered ORDER BY a.name LOOP
        EXECUTE format('SELECT ARRAY[min(id), max(id)] FROM store.%I WHERE repository = $1', t.name)
            INTO least_most USING of_repository;
        IF least_most[1] IS NOT NULL THEN
            out := out || jsonb_build_object(t.name, least_most);
        END IF;
    END LOOP;
    RETURN out;
END
$$;
COMMENT ON FUNCTION store.archive_numbers IS 'The ranges of numbers that a repository''s history uses.';

-- Opens cursor `archive` over the lines of one table, in the order of its key.
CREATE FUNCTION store.archive_open(of_table text, of_repository integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lines refcursor := 'archive';
    columns text;
    key text;
BEGIN
    SELECT string_agg(CASE WHEN c.is_metric
                           THEN '(SELECT m.name FROM store.metric m WHERE m.id = t.metric) AS metric'
                           ELSE format('t.%I', c.name) END, ', ' ORDER BY c.place)
    INTO columns FROM store.archive_column c WHERE c.of_table = archive_open.of_table;
    SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY o.place)
    INTO key
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY o(number, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.number
    WHERE k.contype = 'p' AND k.conrelid = format('store.%I', of_table)::regclass;
    OPEN lines FOR EXECUTE format(
        'SELECT %L || row_to_json(x)::text || ''}'' FROM (SELECT %s FROM store.%I t %s ORDER BY %s) x',
        format('{"%s":', of_table), columns, of_table,
        CASE of_table WHEN 'metric' THEN 'WHERE $1 IS NOT NULL' WHEN 'repository'
            THEN 'WHERE t.id = $1' ELSE 'WHERE t.repository = $1' END, key)
    USING of_repository;
END
$$;
COMMENT ON FUNCTION store.archive_open IS 'Opens cursor archive over the lines of one table of a repository''s history.';

-- By how much the numbers of an archive have to move so that they meet none that are in use.
CREATE FUNCTION store.archive_moves(numbers json) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    taken bigint;
    move bigint;
    out jsonb := '{}';
BEGIN
    FOR t IN SELECT a.name, (numbers -> a.name ->> 0)::bigint AS first,
                    (numbers -> a.name ->> 1)::bigint AS last
             FROM store.archive_table a WHERE a.numbered LOOP
        EXECUTE format('SELECT CASE WHEN EXISTS (SELECT FROM store.%1$I WHERE id BETWEEN $1 AND $2) '
                       'THEN (SELECT max(id) FROM store.%1$I) END', t.name)
            INTO taken USING t.first, t.last;
        move := CASE WHEN taken IS NULL THEN 0 ELSE taken + 1 - t.first END;
        out := out || jsonb_build_object(t.name, move);
    END LOOP;
    RETURN out;
END
$$;
COMMENT ON FUNCTION store.archive_moves IS 'By how much the numbers of an archive move in this database.';

-- Stores lines of one table. A table or a column that this database does not know is refused, so that
-- nothing is lost in silence.
CREATE FUNCTION store.archive_rows(of_repository integer, of_table text, lines json, moves json)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' AS $$
DECLARE
    names text;
    typed text;
    given text;
    unknown text;
    stored integer;
BEGIN
    IF of_table = 'repository'
       OR NOT EXISTS (SELECT FROM store.archive_column c WHERE c.of_table = archive_rows.of_table) THEN
        RAISE EXCEPTION 'there is no table ''%'' in a repository''s history', left(of_table, 60)
            USING ERRCODE = 'HP422', HINT = 'A newer version may have written the file.';
    END IF;
    CREATE TEMPORARY TABLE IF NOT EXISTS archive_key (name text) ON COMMIT DROP;
    TRUNCATE pg_temp.archive_key;
    INSERT INTO pg_temp.archive_key
    SELECT DISTINCT k FROM json_array_elements(lines) l CROSS JOIN LATERAL json_object_keys(l) k;
    SELECT k.name INTO unknown FROM pg_temp.archive_key k
    WHERE NOT EXISTS (SELECT FROM store.archive_column c
                      WHERE c.of_table = archive_rows.of_table AND c.name = k.name) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table ''%'' has no column ''%''', of_table, left(unknown, 60)
            USING ERRCODE = 'HP422', HINT = 'A newer version may have written the file.';
    END IF;
    SELECT string_agg(format('%I', c.name), ', ' ORDER BY c.place),
           string_agg(format('%I %s', c.name, CASE WHEN c.is_metric THEN 'text' ELSE c.type END),
                      ', ' ORDER BY c.place),
           string_agg(CASE WHEN c.is_metric
                           THEN '(SELECT m.id FROM store.metric m WHERE m.name = x.metric)'
                           WHEN c.numbers_of IS NULL THEN format('x.%I', c.name)
                           WHEN c.type = 'bigint[]' THEN format(
                               '(SELECT coalesce(array_agg(n + %s ORDER BY o), ''{}'') '
                               'FROM unnest(x.%I) WITH ORDINALITY u(n, o))',
                               coalesce((moves ->> c.numbers_of)::bigint, 0), c.name)
                           ELSE format('x.%I + %s', c.name,
                                       coalesce((moves ->> c.numbers_of)::bigint, 0)) END,
                      ', ' ORDER BY c.place)
    INTO names, typed, given
    FROM store.archive_column c
    JOIN pg_temp.archive_key k ON k.name = c.name
    WHERE c.of_table = archive_rows.of_table;
    IF of_table = 'metric' THEN
        EXECUTE format('INSERT INTO store.metric (%s) SELECT %s FROM json_to_recordset($1) AS x(%s) '
                       'ON CONFLICT (name) DO NOTHING', names, given, typed) USING lines;
        SELECT m.name INTO unknown
        FROM json_to_recordset(lines) AS x(name text, unit text, better text)
        JOIN store.metric m ON m.name = x.name AND (m.unit, m.better) <> (x.unit, x.better) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'metric ''%'' means something else here', unknown USING ERRCODE = 'HP409';
        END IF;
        RETURN json_array_length(lines);
    END IF;
    EXECUTE format('INSERT INTO store.%I (repository, %s) OVERRIDING SYSTEM VALUE '
                   'SELECT $1, %s FROM json_to_recordset($2) AS x(%s)', of_table, names, given, typed)
    USING of_repository, lines;
    GET DIAGNOSTICS stored = ROW_COUNT;
    RETURN stored;
END
$$;
COMMENT ON FUNCTION store.archive_rows IS 'Stores lines of one table of a repository''s history.';

-- The repository itself, which must not be there; its suite follows later. → its id
CREATE FUNCTION store.archive_repository(line json, new_name text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    wanted CONSTANT text := coalesce(new_name, line ->> 'name');
    r store.repository;
BEGIN
    IF EXISTS (SELECT FROM store.repository x WHERE x.name = wanted) THEN
        RAISE EXCEPTION 'there is a repository ''%'' already', wanted
            USING ERRCODE = 'HP409', HINT = 'Import it under another name (--as NAME).';
    END IF;
    r := json_populate_record(NULL::store.repository, line);
    INSERT INTO store.repository (name, url, default_ref, looked, look_error, created)
    VALUES (wanted, r.url, r.default_ref, r.looked, r.look_error, coalesce(r.created, now()))
    RETURNING id INTO r.id;
    RETURN r.id;
END
$$;
COMMENT ON FUNCTION store.archive_repository IS 'Makes the repository of an archive; returns its id.';

-- The end of an import: the suite in force, and numbers that go on behind those that came.
CREATE FUNCTION store.archive_end(of_repository integer, line json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
BEGIN
    UPDATE store.repository r SET suite_hash = line ->> 'suite_hash' WHERE r.id = of_repository;
    FOR t IN SELECT a.name, format('store.%I', a.name) AS full_name FROM store.archive_table a
             JOIN pg_attribute i ON i.attrelid = a.id AND i.attname = 'id' AND i.attidentity <> ''
             WHERE a.name <> 'repository' LOOP
        EXECUTE format('SELECT setval(pg_get_serial_sequence($1, ''id''), greatest((SELECT '
                       'max(id) FROM store.%I), nextval(pg_get_serial_sequence($1, ''id''))))', t.name)
        USING t.full_name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION store.archive_end IS 'Ends the import of an archive.';

GRANT EXECUTE ON FUNCTION store.archive_numbers, store.archive_open, store.archive_moves,
    store.archive_rows, store.archive_repository, store.archive_end TO hakperf_collector;
