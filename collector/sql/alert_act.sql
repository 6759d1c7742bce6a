-- Step $2 with alert $1 by $3: owner $4, note $5, resolution $6.
SELECT store.alert_act($1::bigint, $2, $3, $4, $5, $6)
