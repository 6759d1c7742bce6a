// How figures are written: every rule at its edges.
import assert from 'node:assert/strict';
import {test} from 'node:test';

process.env.TZ = 'Asia/Tokyo'; // UTC+9 without summer time: local and UTC never look alike
const f = await import('../../dashboards/web/format.js');

/** Narrow spaces and the minus sign as typed on a keyboard. */
const plain = (text) => text.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');
const each = (write, table) => {
    for (const [given, wanted] of table) assert.equal(plain(write(...[given].flat())), wanted);
};

test('three significant digits', () => each(f.significant, [
    [0, '0'], [1, '1.00'], [16.5365, '16.5'], [99.95, '100'], [9.999, '10.0'], [0.012345, '0.0123'],
    [-4.321, '-4.32'], [1234, '1234'], [1e-9, '1.00e-9'], [[NaN], '–'], [[null], '–'],
]));

test('quantities carry the prefix of their rounded figure', () => each(f.quantity, [
    [[16536514, 'ops/s'], '16.5 M ops/s'], [[999.4, 'ops/s'], '999 ops/s'],
    [[999.7, 'ops/s'], '1.00 k ops/s'], [[999999, 'ops/s'], '1.00 M ops/s'],
    [[0, 'ops/s'], '0 ops/s'], [[-1500, 'ops/s'], '-1.50 k ops/s'],
    [[1023, 'B'], '1023 B'], [[3993, 'KiB'], '3.90 MiB'], [[1024, 'KiB'], '1.00 MiB'],
    [[0.0153, 's'], '15.3 ms'], [[0.0000021, 's'], '2.10 µs'], [[12, 's'], '12.0 s'],
    [[0.551, 'fraction'], '55.1 %'], [[7, 'count'], '7'], [[73385, 'count'], '73 385'],
    [[12345678, 'count'], '12.3 M'], [[null, 'ops/s'], '–'], [[undefined, 's'], '–'],
]));

test('ticks leave a rate\'s unit out, and keep the others', () => each(f.tick, [
    [[16e6, 'ops/cpu-s'], '16.0 M'], [[0, 'ops/s'], '0'], [[0.551, 'fraction'], '55.1 %'],
    [[2048, 'KiB'], '2.00 MiB'],
]));

test('counts are exact where they differ by one', () => {
    each(f.exact, [[1203341, '1 203 341'], [1203340, '1 203 340'], [999, '999'],
        [-1000, '-1 000']]);
    each(f.count, [[999999, '999 999'], [1203341, '1.20 M'], [0, '0'], [[null], '–']]);
});

test('shares', () => each(f.percent, [
    [0.551, '55.1 %'], [0.0082, '0.82 %'], [0, '0 %'], [1, '100.0 %'], [[null], '–'],
]));

test('a change has a sign and the precision of its interval', () => each(f.change, [
    [[-0.0512, -0.0561, -0.0466], '-5.12 %'], [[-0.051, -0.08, -0.02], '-5.1 %'],
    [[0.0012], '+0.12 %'], [[0.412], '+41.2 %'], [[0], '0.00 %'], [[-0.00001], '0.00 %'],
    [[0.00001], '0.00 %'], [[null], '–'],
]));

test('intervals, also open ones', () => each(f.interval, [
    [[-0.0561, -0.0466], '-5.61 to -4.66 %'], [[-0.08, 0.02], '-8.0 to +2.0 %'],
    [[null, -0.031], 'below -3.1 %'], [[0.031, null], 'above +3.1 %'], [[null, null], '–'],
]));

test('times the control', () => each(f.times, [[1.4321, '1.43×'], [[null], '–']]));

test('local time, with UTC to tell', () => {
    assert.equal(f.localTime('2026-11-22T20:31:12Z'), '2026-11-23 05:31');
    assert.equal(f.localDay('2026-11-22T20:31:12Z'), '2026-11-23');
    assert.equal(f.utcTime('2026-11-22T20:31:12.250Z'), '2026-11-22 20:31:12 UTC');
    for (const write of [f.localTime, f.localDay, f.utcTime]) {
        assert.equal(write(null), '–');
        assert.equal(write('yesterday'), '–');
    }
});

test('durations and plurals', () => {
    each(f.duration, [[12.2, '12 s'], [-3, '0 s'], [59.6, '1 min'], [3599, '1 h'], [7200, '2 h'],
        [200000, '2 d'], [[NaN], '–']]);
    assert.equal(f.plural(1, 'commit'), '1 commit');
    assert.equal(f.plural(0, 'commit'), '0 commits');
});
