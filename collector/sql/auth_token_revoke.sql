-- Revokes the token named $1.
UPDATE store.token SET revoked = now() WHERE name = $1 AND revoked IS NULL
