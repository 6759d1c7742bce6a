// A part of the page that is filled from the network: it is loading, has failed, is empty, or
// shows something, and each of these was designed once, here. A panel also sees to it that only
// the last request's answer is shown, however late an earlier one arrives.

import {el, replace} from './dom.js';

export function createPanel(root) {
    let current = null; // AbortController of the request under way
    let filled = false;

    function settle(kind, ...children) {
        filled = kind === 'content';
        root.removeAttribute('aria-busy');
        root.dataset.state = kind;
        replace(root, ...children);
    }

    return {
        root,
        /**
         * Runs work(signal) and gives its answer to show(answer), unless a newer call came first.
         * What was there stays, dimmed, until the answer is in. An error takes its place with a
         * button to try again; with `quiet` (a refresh nobody asked for) the old content stays.
         */
        async load(work, show, {quiet = false} = {}) {
            current?.abort();
            const mine = new AbortController();
            current = mine;
            if (!quiet || !filled) root.setAttribute('aria-busy', 'true');
            if (!filled) replace(root, el('p', {class: 'loading', role: 'status'}, 'Loading …'));
            try {
                const answer = await work(mine.signal);
                if (current !== mine) return;
                show(answer);
                root.removeAttribute('aria-busy');
            } catch (error) {
                if (current !== mine || mine.signal.aborted) return;
                root.removeAttribute('aria-busy');
                if (quiet && filled) return;
                settle('error', errorNote(error,
                    () => this.load(work, show, {quiet: false})));
                if (error.code === undefined) throw error; // a defect of the page: to the console
            }
        },
        show: (...children) => settle('content', ...children),
        empty: (...children) => settle('empty', el('div', {class: 'note'}, ...children)),
        fail: (error, again) => settle('error', errorNote(error, again)),
    };
}

/** The error body as people read it: what happened, then what to do. */
export function errorNote(error, again) {
    const denied = error.code === 'denied';
    return el('div', {class: 'note error', role: 'alert'},
        el('p', {class: 'note-title'}, el('span', {'aria-hidden': 'true', class: 'sign'}, '✕ '),
            error.message || 'something went wrong', error.path ? ` (at ${error.path})` : null),
        error.hint ? el('p', null, withCode(error.hint)) : null,
        denied && !error.hint
            ? el('p', null, 'Open the login link that ', el('code', null, 'hakperf up'),
                ' printed; it can be used once.') : null,
        again ? el('p', null, el('button', {type: 'button', onclick: again}, 'Try again')) : null);
}

/** Text in which `backquotes` mark what is typed, as nodes. */
export function withCode(text) {
    return text.split('`').map((part, i) => (i % 2 ? el('code', null, part) : part));
}
