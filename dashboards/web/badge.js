// The small pieces that several parts of the page show alike: verdict badges, commits, times.

import {el} from './dom.js';
import {localTime, utcTime} from './format.js';

/** `standing`: an answer of verdict.js. */
export function badge(standing, large = false) {
    return el('span', {
        class: `badge tone-${standing.tone}${large ? ' large' : ''}`, title: standing.means || null,
    }, el('span', {'aria-hidden': 'true', class: 'sign'}, standing.sign), ` ${standing.word}`);
}

/** A commit as a link that selects it. */
export function commitLink(commit, href, current = false) {
    return el('a', {
        class: 'sha', href, title: commit.sha, 'aria-current': current ? 'true' : null,
    }, commit.short);
}

export function time(iso) {
    return el('time', {datetime: iso, title: utcTime(iso)}, localTime(iso));
}
