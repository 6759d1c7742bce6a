INSERT INTO store.migration (number, name, checksum) VALUES ($1::integer, $2, $3)
