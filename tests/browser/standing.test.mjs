// The words for verdicts, for commits without one, and for the queue; and for answers that fail.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {address, errorOf} from '../../dashboards/web/api.js';
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
