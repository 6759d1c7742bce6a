// The words for verdicts, for commits without one, for the queue and for the service itself; and for
// answers that fail.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {address, errorOf} from '../../dashboards/web/api.js';
import {didItRun} from '../../dashboards/web/comparison.js';
import {selftestFacts} from '../../dashboards/web/selftest.js';
import {progressText, summary} from '../../dashboards/web/status.js';
import {hasResult, standingOf, verdictOf} from '../../dashboards/web/verdict.js';

const VERDICTS = ['regressed', 'improved', 'equivalent', 'inconclusive', 'identical', 'failed'];

test('no two verdicts share sign and word, nor a shape on the chart', () => {
    for (const field of ['sign', 'word', 'mark']) {
        const values = new Set(VERDICTS.map((v) => verdictOf(v)[field]));
        assert.equal(values.size, VERDICTS.length, field);
    }
});

test('a small regression is told apart from a relevant one', () => {
    assert.equal(verdictOf('regressed', 'small').word, 'regressed, small');
    assert.notEqual(verdictOf('regressed', 'small').tone, verdictOf('regressed', 'relevant').tone);
    assert.equal(verdictOf('improved', 'small').tone, 'good');
});

test('a verdict of a newer collector keeps its name', () => {
    assert.equal(verdictOf('layout-suspect').word, 'layout-suspect');
});

test('where a commit stands', () => {
    assert.equal(standingOf({state: 'measured', verdict: 'improved', size: 'small'}).word,
        'improved, small');
    assert.equal(standingOf({state: 'queued', verdict: 'improved'}).word, 'queued');
    assert.equal(standingOf({state: 'failed', verdict: null}).word, 'failed');
    assert.equal(standingOf({state: 'identical', verdict: 'identical'}).sign, '≡');
    assert.equal(standingOf({state: 'measured', verdict: null}).word, 'measured');
    const states = ['measured', 'failed', 'queued', 'unwatched'];
    assert.deepEqual(states.map((state) => hasResult({state})), [true, true, false, false]);
});

const seen = (secondsAgo) =>
    [{name: 'r', seen: new Date(Date.now() - secondsAgo * 1000).toISOString()}];

test('the queue in one line', () => {
    const line = (counts, runners = seen(1)) => summary({counts, runners}).text;
    assert.equal(line({queued: 2, running: 1}), '1 running, 2 queued');
    assert.equal(line({queued: 0, running: 0}), 'idle');
    assert.equal(line({queued: 2, running: 0}, []), '2 queued, no runner');
    assert.equal(line({queued: 0, running: 0}, seen(3600)), 'no runner');
    // A long execution renews its lease; silence alone is no absence while a job runs.
    assert.equal(line({queued: 0, running: 1}, seen(3600)), '1 running');
});

test('progress', () => {
    assert.equal(progressText({stage: 'measure', done: 3, total: 9, text: 'w'}), 'w, 3 of 9');
    assert.equal(progressText({stage: 'build', done: 0, total: 0, text: ''}), 'build');
    assert.equal(progressText(null), null);
});

test('addresses are encoded, and leave out what is not asked', () => {
    assert.equal(address(['repositories', 'a', 'commits', 'x/y#z'], {}),
        'api/v1/repositories/a/commits/x%2Fy%23z');
    assert.equal(address(['status'], {limit: 5, before: null, a: ''}), 'api/v1/status?limit=5');
});

test('the error body, or words for an answer without one', () => {
    const own = errorOf(404, '{"code":"not_found","message":"no run","hint":"run it","path":null}');
    assert.deepEqual([own.code, own.message, own.hint, own.status],
        ['not_found', 'no run', 'run it', 404]);
    for (const text of ['<html>', '', 'null', '{"error":1}']) {
        const other = errorOf(502, text);
        assert.equal(other.code, 'failed');
        assert.match(other.message, /502/);
        assert.ok(other.hint);
    }
    assert.equal(errorOf(401, '').code, 'denied');
});

test('self-tests in plain words', () => {
    const answer = {days: 30, alerts: [], smallest_visible: 0.0035,
        aa: {runs: 2, comparisons: 12, false_alarms: 0, rate: 0, upper: 0.221},
        canary: {runs: 2, comparisons: 6, found: 6, planted: -0.02, measured: -0.0213}};
    const {facts, alarm} = selftestFacts(answer);
    assert.equal(alarm, null);
    assert.deepEqual(facts.map((f) => f.figure), ['0 of 12', '6 of 6 found', '0.35\u202f%']);
    assert.deepEqual(facts.map((f) => f.tone), ['good', 'good', 'calm']);
    assert.match(facts[0].text, /12 times, and none .* at most 22\.1\u202f%/);
    assert.match(facts[1].text, /about 2\.0\u202f% .* \u22122\.1\u202f% on average\.$/);

    answer.alerts = [7];
    answer.aa.false_alarms = 3;
    answer.canary.found = 5;
    const bad = selftestFacts(answer);
    assert.match(bad.alarm, /1 open alert about itself/);
    assert.deepEqual(bad.facts.map((f) => f.tone), ['bad', 'bad', 'calm']);
    assert.match(bad.facts[1].text, /missed 1 time\.$/);
});

test('what was not self-tested is unknown, and does not look good', () => {
    const none = {runs: 0, comparisons: 0, rate: null, upper: null};
    const {facts} = selftestFacts({days: 30, aa: {...none, false_alarms: 0},
        canary: {...none, found: 0, planted: null, measured: null}, smallest_visible: null,
        workloads: [], alerts: []});
    assert.deepEqual(facts.map((f) => f.figure), ['unknown', 'unknown', 'unknown']);
    assert.ok(facts.every((f) => f.tone === 'unsure' && /30 days/.test(f.text)));
});

test('did it run', () => {
    assert.equal(didItRun(null), null);
    assert.equal(didItRun({functions: 3, functions_executed: 0}).tone, 'bad');
    assert.match(didItRun({functions: 3, functions_executed: 0}).text, /^no: 0 of 3 changed functions/);
    assert.equal(didItRun({functions: 1, functions_executed: 1, lines_of_code: 4,
        lines_executed: 3}).text, '1 of 1 changed function (3 of 4 changed lines)');
    assert.equal(didItRun({functions: null, functions_executed: null, missing: 'no gcov'}).text,
        'not known: no gcov');
    assert.match(didItRun({functions: 0, functions_executed: 0}).text, /no function/);
});
