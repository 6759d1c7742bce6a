// The list of the last commits: what each did to performance, and why one has no figures.

import {badge, commitLink, time} from './badge.js';
import {el} from './dom.js';
import {change, count, percent} from './format.js';
import {hasResult, standingOf} from './verdict.js';

const COLUMNS = [['Commit', ''], ['Verdict', ''], ['Change', 'number'], ['Kernel share', 'number'],
    ['ACE failures', 'number'], ['Subject', 'wide'], ['Time', 'time']];

/** hrefOf(sha): the link that selects a commit; more(): loads older ones, null at the end. */
export function renderLog(entries, {hrefOf, selected, more}) {
    return [
        el('table', {class: 'cards log'},
            el('thead', null, el('tr', null, COLUMNS.map(([name, kind]) =>
                el('th', {scope: 'col', class: kind}, name)))),
            el('tbody', null, entries.map((entry) => row(entry, hrefOf, selected)))),
        more ? el('p', null, el('button', {type: 'button', onclick: more}, 'Older commits')) : null,
    ];
}

function row(entry, hrefOf, selected) {
    const cell = (i, ...children) =>
        el('td', {class: COLUMNS[i][1], 'data-label': COLUMNS[i][0]}, ...children);
    const standing = standingOf(entry);
    const timed = entry.state === 'measured';
    const current = entry.sha === selected;
    return el('tr', {class: [current ? 'current' : '', `state-${entry.state}`].join(' ').trim()},
        el('th', {scope: 'row'}, hasResult(entry) ? commitLink(entry, hrefOf(entry.sha), current)
            : el('span', {class: 'sha', title: entry.sha}, entry.short)),
        cell(1, badge(standing)),
        cell(2, timed ? el('span', {class: `change tone-${standing.tone}`, title: entry.workload},
            change(entry.change)) : null),
        cell(3, timed ? percent(entry.kernel_share) : null),
        cell(4, timed ? count(entry.ace_failures) : null),
        cell(5, el('span', {class: 'subject'}, entry.subject),
            el('span', {class: 'detail'}, entry.author),
            entry.reason ? el('span', {class: `why tone-${standing.tone}`}, entry.reason) : null),
        cell(6, time(entry.time)));
}
