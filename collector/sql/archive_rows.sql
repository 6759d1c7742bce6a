-- Stores the lines $3 of table $2 of repository $1, numbers moved by $4.
SELECT store.archive_rows($1::integer, $2, $3::json, $4::json)
