-- Whether repository $1 has commit $2.
SELECT 1 FROM store.commit WHERE repository = $1::integer AND sha = $2
