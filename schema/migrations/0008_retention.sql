-- Samples come in monthly partitions, are kept for as many months as the collector is told, and do
-- not stay in the default partition.
SET LOCAL ROLE hakperf_owner;

-- A month whose rows went to the default partition (the collector was away when it began) gets its
-- partition with them. The default partition is locked meanwhile, for at most five seconds of waiting.
CREATE OR REPLACE FUNCTION store.make_partitions(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET lock_timeout = '5s' AS $$
DECLARE
    first_day timestamptz;
    next_month timestamptz;
    part text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('store.make_partitions'));
    FOR first_day IN
        SELECT date_trunc('month', now()) + make_interval(months => i)
        FROM generate_series(0, least(months, 120)) i
        UNION
        SELECT DISTINCT date_trunc('month', d.stored) FROM store.sample_set_default d
        ORDER BY 1
    LOOP
        part := format('sample_set_%s', to_char(first_day, 'YYYYMM'));
        next_month := first_day + interval '1 month';
        CONTINUE WHEN to_regclass('store.' || part) IS NOT NULL;
        IF NOT EXISTS (SELECT FROM store.sample_set_default d
                       WHERE d.stored >= first_day AND d.stored < next_month) THEN
            EXECUTE format('CREATE TABLE store.%I PARTITION OF store.sample_set '
                           'FOR VALUES FROM (%L) TO (%L)', part, first_day, next_month);
        ELSE
            LOCK TABLE store.sample_set_default IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('CREATE TABLE store.%I (LIKE store.sample_set INCLUDING ALL)', part);
            EXECUTE format('WITH moved AS (DELETE FROM store.sample_set_default d '
                           'WHERE d.stored >= %2$L AND d.stored < %3$L RETURNING *) '
                           'INSERT INTO store.%1$I SELECT * FROM moved', part, first_day, next_month);
            EXECUTE format('ALTER TABLE store.sample_set ATTACH PARTITION store.%I '
                           'FOR VALUES FROM (%L) TO (%L)', part, first_day, next_month);
        END IF;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION store.make_partitions IS
    'Makes the monthly partitions of sample_set up to so many months ahead, and those of months that wait in the default partition; returns how many.';

-- 24 keeps the present month and the 24 before it. Measurements and comparisons stay for ever; so do
-- the names of profiles, without their stacks.
CREATE FUNCTION store.drop_old(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET lock_timeout = '5s' AS $$
DECLARE
    before CONSTANT timestamptz := date_trunc('month', now()) - make_interval(months => months);
    part text;
    dropped integer := 0;
BEGIN
    IF months < 1 THEN
        RAISE EXCEPTION 'samples are kept for a month at least' USING ERRCODE = 'HP422';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('store.make_partitions'));
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'store.sample_set'::regclass
          AND c.relname ~ '^sample_set_[0-9]{6}$'
          AND right(c.relname, 6) < to_char(before, 'YYYYMM')
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE store.%I', part);
        dropped := dropped + 1;
    END LOOP;
    UPDATE store.profile p
    SET folded = NULL, missing = format('dropped after %s months', months)
    FROM store.run u
    WHERE u.repository = p.repository AND u.id = p.run AND u.stored < before
      AND p.folded IS NOT NULL;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION store.drop_old IS
    'Drops the samples and profiles of months before the last so many; returns how many partitions went.';
GRANT EXECUTE ON FUNCTION store.drop_old TO hakperf_collector;
