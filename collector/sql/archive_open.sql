-- Begins with the lines of table $1 of repository $2.
SELECT store.archive_open($1, $2::integer)
