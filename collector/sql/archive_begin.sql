-- How the numbers $1 of an archive move, and the newest migration of this database.
SELECT store.archive_moves($1::json), (SELECT max(number) FROM store.migration)
