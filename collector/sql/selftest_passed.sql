-- The service passed test $2 (aa or canary) on repository $1: what it failed before is over.
SELECT store.alert_act(a.id, 'resolved', 'hakperf', NULL, 'the next self-test passed', 'fixed')
FROM store.alert a
WHERE a.repository = $1::integer AND a.kind = 'selftest' AND a.state <> 'resolved'
  AND a.detail ->> 'test' = $2
