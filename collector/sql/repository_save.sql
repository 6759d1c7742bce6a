-- Makes or updates the repository named $1 with address $2. → id
INSERT INTO store.repository (name, url) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET url = EXCLUDED.url
RETURNING id
