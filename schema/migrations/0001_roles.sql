-- Roles, the two schemas and the record of migrations.
--
-- hakperf_owner owns everything and runs migrations; hakperf_collector reads and writes the tables
-- of schema store; hakperf_reader sees the documented views of schema hakperf and nothing else.
-- Where an administrator has made the roles before, they are taken as they are.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['hakperf_owner', 'hakperf_collector', 'hakperf_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
    IF NOT pg_has_role('hakperf_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'user % may not act as hakperf_owner', current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Run migrations as hakperf_owner, or as a member of that role.';
    END IF;
    IF NOT has_database_privilege('hakperf_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO hakperf_owner', current_database());
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO hakperf_owner, hakperf_collector, hakperf_reader',
                   current_database());
    EXECUTE format('ALTER ROLE hakperf_reader IN DATABASE %I SET default_transaction_read_only = on',
                   current_database());
    EXECUTE format('ALTER ROLE hakperf_reader IN DATABASE %I SET statement_timeout = ''30s''',
                   current_database());
    EXECUTE format('ALTER ROLE hakperf_reader IN DATABASE %I SET search_path = hakperf',
                   current_database());
END
$$;

SET LOCAL ROLE hakperf_owner;

CREATE SCHEMA store;
CREATE SCHEMA hakperf;
COMMENT ON SCHEMA store IS 'Tables of the collector. Not an interface: use the views of schema hakperf.';
COMMENT ON SCHEMA hakperf IS 'Documented views and functions for psql, Grafana and scripts. They keep their columns.';

GRANT USAGE ON SCHEMA store TO hakperf_collector;
GRANT USAGE ON SCHEMA hakperf TO hakperf_collector, hakperf_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA store
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA store
    GRANT USAGE ON SEQUENCES TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner
    REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf
    GRANT SELECT ON TABLES TO hakperf_collector, hakperf_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf
    GRANT EXECUTE ON FUNCTIONS TO hakperf_collector, hakperf_reader;

CREATE TABLE store.migration (
    number   integer PRIMARY KEY CHECK (number > 0),
    name     text NOT NULL,
    checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
    applied  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE store.migration IS 'Which migrations were applied, with the SHA-256 of each file.';
REVOKE INSERT, UPDATE, DELETE ON store.migration FROM hakperf_collector;
