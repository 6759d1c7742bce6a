-- Ends the import of repository $1, whose line was $2.
SELECT store.archive_end($1::integer, $2::json)
