-- Notes why repository $1 (name) could not be looked at ($2).
UPDATE store.repository SET look_error = $2 WHERE name = $1
