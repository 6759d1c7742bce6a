-- The repositories to look at, by name.
SELECT name FROM store.repository WHERE suite_hash IS NOT NULL ORDER BY name
