-- Whether the record of migrations exists yet.
SELECT to_regclass('store.migration') IS NOT NULL
