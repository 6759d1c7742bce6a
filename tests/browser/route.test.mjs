// The selection in the address survives the way out and back, whatever revisions are called.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {link, parse} from '../../dashboards/web/route.js';

const EMPTY = {repo: null, base: null, head: null, workload: null, metric: null, scale: null};

test('nothing selected', () => {
    for (const hash of ['', '#', '#log', '#head=', '#unknown=1']) {
        assert.deepEqual(parse(hash), EMPTY);
    }
    assert.equal(link(EMPTY), '#');
});

test('there and back', () => {
    const route = {repo: 'hak.mem-1', base: 'v1.0^{commit}', head: 'feature/a&b=c#d',
        scale: 'ratio', workload: 'random_mixed/8192', metric: 'counter:os.munmap'};
    assert.deepEqual(parse(link(route)), route);
    assert.equal(link({...EMPTY, head: 'abc'}), '#head=abc');
});

test('what cannot be shown is dropped', () => {
    assert.equal(parse('#base=v1').base, null);
    assert.equal(parse('#scale=logarithmic').scale, null);
});
