-- Makes the repository of line $1, under the name $2 (NULL: its own). → id
SELECT store.archive_repository($1::json, $2)
