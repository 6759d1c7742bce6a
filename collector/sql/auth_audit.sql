-- Who ($1) did what ($2) to what ($3), from where ($4), in detail ($5).
INSERT INTO store.audit_log (who, action, object, address, detail)
VALUES ($1, $2, $3, $4, $5::jsonb)
