// What the chart is given: columns with holes, a range that shows changes, words for a point.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
    choices, columns, describe, hasRatio, indexOf, metricTitle, yRange,
} from '../../dashboards/web/series.js';

const point = (more) => ({sha: 'a'.repeat(40), short: 'aaaaaaa', subject: 'A', run: null,
    time: '2026-11-22T20:00:00Z', value: 100, low: 99, high: 102, verdict: 'equivalent',
    ratio: 1.5, ratio_low: 1.4, ratio_high: 1.6, ...more});
const failed = point({sha: 'b'.repeat(40), short: 'bbbbbbb', value: null, low: null, high: null,
    ratio: null, ratio_low: null, ratio_high: null, verdict: 'failed'});

test('columns keep holes, and a band where the interval is unknown', () => {
    const points = [point(), failed, point({low: null, high: null})];
    assert.deepEqual(columns(points, 'value'),
        [[0, 1, 2], [100, null, 100], [99, null, 100], [102, null, 100]]);
    assert.deepEqual(columns(points, 'ratio')[1], [1.5, null, 1.5]);
    assert.ok(hasRatio(points));
    assert.ok(!hasRatio([failed]));
});

test('the range holds every interval that is in view, and only those', () => {
    const points = [point(), failed, point({value: 900, high: 950})];
    const [low, high] = yRange(columns(points, 'value'), 0, 1);
    assert.ok(low < 99 && low > 90, `${low}`);
    assert.ok(high > 102 && high < 110, `${high}`);
});

test('the range does not blow noise up, cross zero, or collapse', () => {
    const flat = yRange(columns([point({value: 100, low: 99.99, high: 100.01})], 'value'), 0, 0);
    assert.ok(flat[1] - flat[0] >= 2, `${flat}`);
    assert.equal(yRange(columns([point({value: 1, low: 0, high: 9})], 'value'), 0, 0)[0], 0);
    assert.deepEqual(yRange(columns([point({value: 0, low: 0, high: 0})], 'value'), 0, 0), [0, 1]);
    assert.deepEqual(yRange(columns([failed], 'value'), 0, 0), [0, 1]);
});

test('a commit is found by its full and short name', () => {
    const points = [point(), failed];
    assert.equal(indexOf(points, 'b'.repeat(40)), 1);
    assert.equal(indexOf(points, 'aaaaaaa'), 0);
    assert.equal(indexOf(points, 'cccc'), -1);
    assert.equal(indexOf(points, null), -1);
});

test('a point in words', () => {
    const series = {unit: 'ops/s'};
    const said = describe(point({value: 16.5e6, low: 16.4e6, high: 16.7e6}), series, 'value');
    assert.equal(said.value.replaceAll('\u202f', ' '), '16.5 M ops/s');
    assert.equal(said.interval.replaceAll('\u202f', ' '), '16.4 M ops/s to 16.7 M ops/s');
    assert.equal(said.standing.word, 'equivalent');
    assert.equal(describe(point(), series, 'ratio').value, '1.50× the control');
    assert.equal(describe(point({against: 'reference'}), series, 'ratio').value,
        '1.50× the reference');
    assert.equal(describe(failed, series, 'value').value, 'no value');
    assert.equal(describe(failed, series, 'value').interval, null);
    const same = point({value: null, low: null, high: null, verdict: 'identical'});
    assert.equal(describe(same, series, 'value').value, 'same code as its base');
});

test('what can be chosen comes from what was measured', () => {
    const comparison = {workloads: [
        {workload: 'b', metric: 'throughput', counters: [{name: 'os.mmap'}, {name: 'counter:a'}]},
        {workload: 'a', metric: 'throughput', counters: []}]};
    const given = choices({workload: 'c', metric: 'throughput'}, comparison, [{workload: 'b'}]);
    assert.deepEqual(given.workloads, ['a', 'b', 'c']);
    assert.equal(given.metrics[0], 'throughput');
    assert.deepEqual(given.metrics.slice(-2), ['counter:a', 'counter:os.mmap']);
    assert.equal(new Set(given.metrics).size, given.metrics.length);
    assert.deepEqual(choices({workload: null, metric: null}, null, []).workloads, []);
});

test('names of metrics for people', () => {
    assert.equal(metricTitle('kernel_share'), 'kernel share');
    assert.equal(metricTitle('ace_failures'), 'ACE failures');
    assert.equal(metricTitle('startup_cpu'), 'startup CPU');
    assert.equal(metricTitle('counter:os_mmap'), 'counter os_mmap');
});
