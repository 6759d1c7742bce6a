-- The verdict of run $2 of repository $1 if it was stored before.
SELECT verdict, size FROM store.run WHERE repository = $1::integer AND id = $2::uuid
