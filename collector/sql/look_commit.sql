-- The subject of a commit ($2) of repository $1; no row where it is not known.
SELECT subject FROM store.commit WHERE repository = $1::integer AND sha = $2
