// One comparison of two commits: the verdict as a sentence first, then a line per workload, then
// what explains it (what differs, what was wanting, where it ran, how to repeat it), on demand.

import {badge, commitLink, time} from './badge.js';
import {el, svg} from './dom.js';
import {
    MISSING, change, count, exact, interval, percent, plural, quantity, times,
} from './format.js';
import {verdictOf} from './verdict.js';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

/**
 * comparison: a COMPARISON; run: that of the commit endpoint or null; hrefOf(sha): link that
 * selects a commit. → nodes.
 */
export function renderComparison({comparison, run}, hrefOf) {
    const workloads = comparison.workloads ?? [];
    return [
        el('p', {class: 'verdict'}, badge(verdictOf(comparison.verdict, comparison.size), true),
            sentence(comparison.sentence ?? '')),
        reasonOf(comparison),
        comparison.measure ? el('div', {class: 'wanting'},
            el('p', null, 'No run put these two side by side. To measure them so:'),
            commandLine(comparison.measure)) : null,
        arms(comparison, hrefOf),
        workloads.length ? workloadTable(workloads) : null,
        failureLog(comparison, run),
        ...workloads.map(workloadDetails),
        runDetails(comparison, run),
    ];
}

/** What happened stands out from what came with it: the sentence is as long as there are causes. */
function sentence(text) {
    const whole = text.replaceAll(' %', '\u202f%');
    const colon = whole.indexOf(': ');
    const lead = colon < 0 ? whole : whole.slice(0, colon + 1);
    return el('span', {class: 'sentence'}, el('strong', null, lead), whole.slice(lead.length));
}

function reasonOf({reason, sentence}) {
    if (!reason || sentence?.includes(reason)) return null;
    return el('p', {class: 'reason'}, reason);
}

/** Whether the changed code ran at all: {tone, text}, or null where nobody looked. */
export function didItRun(coverage) {
    if (!coverage) return null;
    const {functions, functions_executed: ran, lines_of_code: code, lines_executed: lines} = coverage;
    if (coverage.missing || !isNumber(functions) || !isNumber(ran)) {
        return {tone: 'unsure', text: `not known${coverage.missing ? `: ${coverage.missing}` : ''}`};
    }
    if (functions === 0) return {tone: 'calm', text: 'no function was changed'};
    const of = `${ran} of ${plural(functions, 'changed function')}`;
    if (ran === 0) return {tone: 'bad', text: `no: ${of}, in any workload`};
    const some = isNumber(lines) && code ? ` (${lines} of ${plural(code, 'changed line')})` : '';
    return {tone: 'calm', text: `${of}${some}`};
}

const CONFIRMATIONS = {
    pending: 'not yet: a fresh run looks again before anyone is told',
    confirmed: 'yes, by a fresh run',
    refuted: 'no: a fresh run did not find it',
    unanswered: 'not: the fresh run failed twice or was given up',
};

function arms({base, head, measured, basis, coverage, confirmation}, hrefOf) {
    const ran = didItRun(coverage);
    const fact = (name, ...what) =>
        el('div', {class: 'arm'}, el('dt', null, name), el('dd', null, ...what));
    const arm = (name, commit) => el('div', {class: 'arm'}, el('dt', null, name), el('dd', null,
        commit ? [commitLink(commit, hrefOf(commit.sha)), ' ',
            el('span', {class: 'subject'}, commit.subject)] : 'none: the first commit'));
    return el('dl', {class: 'arms'}, arm('base', base), arm('head', head),
        ran ? fact('did it run', el('span', {class: `tone-${ran.tone}`}, ran.text)) : null,
        CONFIRMATIONS[confirmation] ? fact('confirmed', CONFIRMATIONS[confirmation]) : null,
        measured ? fact('measured', time(measured)) : null,
        basis ? fact('compared', basis) : null);
}

// --- the table -------------------------------------------------------------------------------

const COLUMNS = [
    ['Workload', ''], ['Base', 'number'], ['Head', 'number'], ['Change', 'number'],
    ['Interval', 'range'], ['Pairs', 'number'], ['Verdict', ''], ['Kernel share', 'number'],
    ['ACE failures', 'number'],
];

function workloadTable(workloads) {
    const reach = reachOf(workloads);
    const titles = {
        Interval: 'Where the true change lies, at all looks together',
        Pairs: 'How many times base and head were run side by side',
        'Kernel share': 'Share of CPU time spent in the kernel, base → head',
        'ACE failures': 'Failures of the Adaptive Cache Engine in the counted run, base → head',
    };
    return el('div', {class: 'scroll'}, el('table', {class: 'cards workloads'},
        el('thead', null, el('tr', null, COLUMNS.map(([name, kind]) =>
            el('th', {scope: 'col', class: kind, title: titles[name]}, name)))),
        el('tbody', null, workloads.map((w) => workloadRow(w, reach)))));
}

function workloadRow(w, reach) {
    const cell = (i, ...children) =>
        el('td', {class: COLUMNS[i][1], 'data-label': COLUMNS[i][0]}, ...children);
    const standing = verdictOf(w.verdict, w.size);
    return el('tr', null,
        el('th', {scope: 'row'}, w.workload, el('span', {class: 'detail'}, w.metric)),
        cell(1, quantity(w.base_value, w.unit)),
        cell(2, quantity(w.head_value, w.unit)),
        cell(3, el('span', {class: `change tone-${standing.tone}`},
            change(w.change, w.low, w.high))),
        cell(4, el('span', {class: 'range-text'}, interval(w.low, w.high)), whisker(w, reach)),
        cell(5, count(w.pairs)),
        cell(6, badge(standing), w.reason ? el('span', {class: 'detail'}, w.reason) : null),
        cell(7, pair(w.kernel_share, percent)),
        cell(8, pair(w.ace_failures, count)));
}

/** "base → head", or one figure where nothing changed. */
function pair(both, write) {
    const base = write(both?.base);
    const head = write(both?.head);
    if (base === head) return head;
    return el('span', {class: 'pair'}, base, ' → ', el('b', null, head));
}

/** The largest distance from "no change" in the table: all intervals are drawn to one scale. */
function reachOf(workloads) {
    const ends = workloads.flatMap((w) => [w.low, w.high, w.change]).filter(isNumber).map(Math.abs);
    return Math.max(0.01, ...ends) * 1.1;
}

/** The interval as a bar around the estimate, with the line of no change in the middle. */
function whisker(w, reach) {
    if (!isNumber(w.change)) return null;
    const x = (fraction) => (60 + (fraction / reach) * 58).toFixed(1);
    const low = isNumber(w.low) ? w.low : -reach;
    const high = isNumber(w.high) ? w.high : reach;
    return svg('svg', {class: `whisker tone-${verdictOf(w.verdict, w.size).tone}`,
        viewBox: '0 0 120 14', width: 120, height: 14, 'aria-hidden': 'true'},
    svg('line', {class: 'zero', x1: 60, x2: 60, y1: 0, y2: 14}),
    svg('rect', {class: 'span', x: x(low), y: 4, height: 6, rx: 2,
        width: Math.max(1.5, x(high) - x(low)).toFixed(1)}),
    svg('line', {class: 'estimate', x1: x(w.change), x2: x(w.change), y1: 1, y2: 13}));
}

// --- on demand -------------------------------------------------------------------------------

function workloadDetails(w) {
    const counters = w.counters ?? [];
    const options = w.configuration ?? [];
    const detectable = isNumber(w.detectable)
        ? `The run could have seen a change of ${percent(Math.abs(w.detectable))}.` : null;
    if (!counters.length && !options.length && !w.sentence && !detectable) return null;
    const what = [
        counters.length ? plural(counters.length, 'counter') : null,
        options.length ? plural(options.length, 'option') : null,
    ].filter(Boolean).join(' and ');
    return el('details', {class: 'more'},
        el('summary', null, w.workload, ': ', what ? `${what} differ${
            counters.length + options.length === 1 ? 's' : ''}`
            : 'same counters and configuration'),
        w.sentence || detectable
            ? el('p', null, [w.sentence, detectable].filter(Boolean).join(' ')) : null,
        options.length ? differences('Effective configuration', options, setting) : null,
        counters.length ? differences('Counters', counters, counter, growth) : null);
}

function differences(title, rows, write, compare = null) {
    const heads = ['', 'base', 'head', ...(compare ? ['change'] : [])];
    return el('div', {class: 'scroll'}, el('table', {class: 'differences'},
        el('caption', null, title),
        el('thead', null, el('tr', null, heads.map((name) =>
            el('th', {scope: 'col', class: name ? 'number' : ''}, name)))),
        el('tbody', null, rows.map((row) => el('tr', null,
            el('th', {scope: 'row'}, el('code', null, row.name)),
            el('td', {class: 'number'}, write(row.base)),
            el('td', {class: 'number'}, write(row.head)),
            compare ? el('td', {class: 'number'}, compare(row)) : null)))));
}

const counter = (value) => (isNumber(value) ? exact(value) : setting(value));

/** How much a counter grew: a factor where a percentage would be a long number. */
function growth({base, head}) {
    if (!isNumber(base) || !isNumber(head) || base === 0) return MISSING;
    return Math.abs(head / base) >= 10 ? times(head / base) : change(head / base - 1);
}

/** An option's value, with where it came from if the library said so. */
function setting(value) {
    if (value === null || value === undefined) return MISSING;
    if (typeof value !== 'object') return String(value);
    const notes = [value.source, value.ignored ? 'ignored by this build' : null];
    const note = notes.filter(Boolean).join(', ');
    return [value.value ?? MISSING, note ? ` (${note})` : null];
}

function failureLog(comparison, run) {
    const text = run?.failure?.log ?? run?.log;
    if (comparison.verdict !== 'failed' || !text) return null;
    return el('details', {class: 'more', open: true},
        el('summary', null, 'What the failing program printed'),
        el('pre', {tabindex: '0'}, text));
}

function runDetails(comparison, run) {
    const {warnings = [], machine, sandbox, reproduce} = comparison;
    const facts = machineFacts(machine);
    const runner = run?.runner?.name ?? run?.runner;
    return [
        warnings.length ? el('details', {class: 'more'},
            el('summary', null, el('span', {'aria-hidden': 'true', class: 'sign tone-mild'}, '! '),
                plural(warnings.length, 'warning'), ' about the machine or the data'),
            el('ul', null, warnings.map((text) => el('li', null, text)))) : null,
        facts.length || sandbox ? el('details', {class: 'more'},
            el('summary', null, 'Machine',
                sandbox === 'none'
                    ? el('b', {class: 'tone-bad'}, ' (run without a sandbox)') : null),
            el('dl', {class: 'facts'}, [
                ...facts, ['sandbox', sandbox], ['run', comparison.run],
                ['runner', typeof runner === 'string' ? runner : null],
            ].filter(([, value]) => value !== null && value !== undefined).map(([name, value]) =>
                el('div', null, el('dt', null, name), el('dd', null, String(value)))))) : null,
        reproduce && reproduce !== comparison.measure // that stands above already
            ? el('details', {class: 'more'}, el('summary', null, 'Reproduce it'),
                commandLine(reproduce)) : null,
    ];
}

/** The machine of a COMPARISON, a name or an object of facts, as [name, value] lines. */
function machineFacts(machine) {
    if (!machine) return [];
    if (typeof machine !== 'object') return [['machine', machine]];
    const facts = machine.facts ?? machine;
    const lines = Object.entries(facts).filter(([, value]) => typeof value !== 'object');
    return machine.fingerprint && machine.facts
        ? [...lines, ['fingerprint', machine.fingerprint.slice(0, 12)]] : lines;
}

/** A line to type, with a button that copies it. */
function commandLine(text) {
    const code = el('code', null, text);
    const said = el('span', {class: 'detail', role: 'status'});
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text);
            said.textContent = 'copied';
        } catch {
            // Pages that came over plain HTTP from another machine have no clipboard.
            getSelection().selectAllChildren(code);
            said.textContent = 'selected: press Ctrl+C';
        }
    };
    return el('div', {class: 'command'}, code,
        el('button', {type: 'button', onclick: copy}, 'Copy'), said);
}
