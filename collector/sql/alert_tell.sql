-- Step $3 in the history of alert $2 of repository $1 by the service, and the message of it.
SELECT store.alert_tell($1::integer, $2::bigint, $3, 'hakperf', $4)
