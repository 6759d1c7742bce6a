// How far the service itself is to be trusted: how often it called a build different from itself,
// whether it found the slowdown that it plants, and the smallest effect it sees. In plain words,
// each with its figure; what was not tested is said to be unknown, never shown as good.

import {el} from './dom.js';
import {MISSING, change, duration, interval, percent, plural} from './format.js';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const TESTS = {aa: 'a build with itself', canary: 'planted slowdown'};

function falseAlarms({aa, days, alerts}) {
    const title = 'False alarms';
    if (!aa?.comparisons) {
        return {title, tone: 'unsure', sign: '?', figure: 'unknown',
            text: `No build was compared with itself in the last ${days} days.`};
    }
    const {comparisons, false_alarms: wrong, upper} = aa;
    // Some are within the nominal rate; the collector's alert says when they are too many.
    const tone = !wrong ? 'good' : alerts?.length ? 'bad' : 'mild';
    return {title, tone, sign: wrong ? '!' : '✓',
        figure: `${wrong} of ${comparisons}`,
        text: `A build was compared with itself ${plural(comparisons, 'time')}, and ${
            wrong || 'none'} of the comparisons told a change.${isNumber(upper) && upper < 1
            ? ` With 95\u202f% confidence that happens in at most ${percent(upper)} of them.`
            : ''}`};
}

function planted({canary, days}) {
    const title = 'Planted slowdowns';
    if (!canary?.comparisons) {
        return {title, tone: 'unsure', sign: '?', figure: 'unknown',
            text: `No slowdown was planted in the last ${days} days; a recipe without a canary has `
                + 'none to plant.'};
    }
    const {comparisons, found, planted: size, measured} = canary;
    const missed = comparisons - found;
    return {title, tone: missed ? 'bad' : 'good', sign: missed ? '!' : '✓',
        figure: `${found} of ${comparisons} found`,
        text: `A known slowdown of about ${percent(Math.abs(size))} was built in; it was measured `
            + `as ${change(measured)} on average${missed ? `, and missed ${
                plural(missed, 'time')}` : ''}.`};
}

function smallest({smallest_visible: visible, days}) {
    const title = 'Smallest visible effect';
    if (!isNumber(visible)) {
        return {title, tone: 'unsure', sign: '?', figure: 'unknown',
            text: `It is taken from builds compared with themselves: none in the last ${days} days.`};
    }
    return {title, tone: 'calm', sign: '·', figure: percent(Math.abs(visible)),
        text: 'In half of these comparisons a change of this size, or a smaller one, would have been '
            + 'found nine times in ten.'};
}

/** The answer of …/selftest as [{title, tone, sign, figure, text}], and what is open about it. */
export function selftestFacts(answer) {
    const alerts = answer.alerts?.length ?? 0;
    return {
        facts: [falseAlarms(answer), planted(answer), smallest(answer)],
        alarm: alerts ? `The service has ${plural(alerts, 'open alert')} about itself: trust its `
            + 'verdicts less until it is resolved.' : null,
    };
}

/** → nodes of the section; the newest result of each test and workload on demand. */
export function renderSelftest(answer) {
    const {facts, alarm} = selftestFacts(answer);
    const rows = answer.workloads ?? [];
    return [
        alarm ? el('p', {class: 'note error', role: 'alert'},
            el('span', {'aria-hidden': 'true', class: 'sign'}, '! '), alarm, ' ',
            el('code', null, 'hakperf alerts')) : null,
        el('dl', {class: 'trust'}, facts.map(({title, tone, sign, figure, text}) =>
            el('div', null, el('dt', null, title),
                el('dd', {class: `figure tone-${tone}`},
                    el('span', {'aria-hidden': 'true', class: 'sign'}, sign), ` ${figure}`),
                el('dd', {class: 'detail'}, text)))),
        rows.length ? el('details', {class: 'more'},
            el('summary', null, 'Newest self-test of each workload'), testTable(rows)) : null,
    ];
}

function testTable(rows) {
    const heads = ['Workload', 'Test', 'Passed', 'Change', 'Interval', 'Measured'];
    const cell = (i, kind, ...children) =>
        el('td', {class: kind, 'data-label': heads[i]}, ...children);
    return el('div', {class: 'scroll'}, el('table', {class: 'cards'},
        el('thead', null, el('tr', null, heads.map((name) => el('th', {scope: 'col'}, name)))),
        el('tbody', null, rows.map((row) => el('tr', null,
            el('th', {scope: 'row'}, row.workload),
            cell(1, '', TESTS[row.test] ?? row.test),
            cell(2, row.passed ? 'tone-good' : 'tone-bad', row.passed ? '✓ yes' : '✕ no'),
            cell(3, '', change(row.change, row.low, row.high)),
            cell(4, '', interval(row.low, row.high)),
            cell(5, '', row.measured
                ? `${duration((Date.now() - Date.parse(row.measured)) / 1000)} ago` : MISSING))))));
}
