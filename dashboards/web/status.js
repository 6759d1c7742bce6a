// The state of the queue and its runners in the page's header: one line that opens into the jobs.
// It follows the collector's events and asks anew when one comes; without them it asks again and
// again. It tells the page when something has changed, so that a finished measurement appears
// without anyone reloading.

import * as api from './api.js';
import {address} from './api.js';
import {el, replace} from './dom.js';
import {duration, plural} from './format.js';
import {withCode} from './panel.js';

const EVERY_MS = 4000;
const SLOWEST_MS = 30000;
const FOLLOWING_MS = 15000; // while events come; asked all the same, for runners send none
const TOGETHER_MS = 150; // events that come at once cause one question
const RUNNER_SILENT_S = 120; // a runner renews its lease or asks for work far more often

/** What the header says of a status answer: {sign, tone, text}. */
export function summary(status, now = Date.now()) {
    const {queued = 0, running = 0} = status.counts ?? {};
    const silent = (status.runners ?? []).every(
        (runner) => now - Date.parse(runner.seen) > RUNNER_SILENT_S * 1000);
    if (silent && running === 0) {
        const waiting = queued ? `${queued} queued, ` : '';
        return {sign: '!', tone: queued ? 'bad' : 'faint', text: `${waiting}no runner`};
    }
    const parts = [running ? `${running} running` : null, queued ? `${queued} queued` : null];
    const text = parts.filter(Boolean).join(', ') || 'idle';
    return {sign: running ? '▸' : '·', tone: running || queued ? 'wait' : 'faint', text};
}

/** A progress of JOB STATE in words: "measuring bench_random_mixed, 128 of 512". */
export function progressText(progress) {
    if (!progress) return null;
    const amount = progress.total ? `${progress.done} of ${progress.total}` : null;
    const what = progress.text || progress.stage;
    return [what, amount].filter(Boolean).join(', ');
}

function jobLine(job) {
    const {progress} = job;
    const running = job.state === 'running';
    return el('li', null,
        el('span', {class: 'sha', title: job.sha}, (job.sha ?? '').slice(0, 10)), ' ',
        el('span', {class: 'subject'}, job.subject ?? ''),
        el('span', {class: 'detail'},
            running ? progressText(progress) ?? 'running' : 'queued',
            job.attempt > 1 ? `, attempt ${job.attempt}` : null,
            job.reason ? `: ${job.reason}` : null),
        running && progress?.total
            ? el('progress', {max: progress.total, value: progress.done,
                'aria-label': 'progress of this job'}) : null);
}

function runnerLine(runner) {
    const age = (Date.now() - Date.parse(runner.seen)) / 1000;
    return el('li', null, runner.name,
        el('span', {class: 'detail'}, `seen ${duration(age)} ago`));
}

function details(status) {
    const jobs = [...(status.running ?? []), ...(status.queue ?? [])];
    const runners = status.runners ?? [];
    return [
        el('h3', null, 'Jobs'),
        jobs.length ? el('ul', null, jobs.map(jobLine)) : el('p', null, 'Nothing waits.'),
        el('h3', null, 'Runners'),
        runners.length ? el('ul', null, runners.map(runnerLine))
            : el('p', null, 'None has asked for work yet. ', el('code', null, 'hakperf up'),
                ' starts one.'),
        status.failed_jobs
            ? el('p', {class: 'tone-bad'},
                `${plural(status.failed_jobs, 'job')} given up after repeated failures.`) : null,
        el('p', {class: 'detail'}, `collector ${status.version}`),
    ];
}

/**
 * Calls `changed()` when a job has changed, and whenever the stream of events begins or ends.
 * → {live(), stop(), start()}; live says whether events come. A stream that breaks off is taken up
 * by the browser; one that is refused is tried again by the next start().
 */
function followEvents(changed) {
    let source = null;
    return {
        live: () => source?.readyState === EventSource.OPEN,
        stop() {
            source?.close();
            source = null;
        },
        start() {
            if (source && source.readyState !== EventSource.CLOSED) return;
            source = new EventSource(address(['events']));
            for (const name of ['ready', 'job', 'reset', 'error']) {
                source.addEventListener(name, changed);
            }
        },
    };
}

/** Starts watching. `changed()` is called when jobs came or ended; `back()` after an outage. */
export function watchStatus(root, {changed, back}) {
    const line = el('summary', null, '…');
    const body = el('div', {class: 'popup'});
    const box = el('details', {class: 'status'}, line, body);
    replace(root, box);
    let before = null;
    let wait = EVERY_MS; // longer after each failure
    let timer = null;
    let asking = false;
    const events = followEvents((event) => {
        if (event.type === 'error' && wait !== EVERY_MS) return; // known, and asked for already
        clearTimeout(timer);
        timer = setTimeout(ask, TOGETHER_MS);
    });

    function show({sign, tone, text}) {
        const label = `${sign} ${text}`;
        if (line.textContent === label) return;
        line.className = `tone-${tone}`;
        replace(line, el('span', {'aria-hidden': 'true', class: 'sign'}, sign), ` ${text}`);
    }

    async function ask() {
        clearTimeout(timer);
        timer = null;
        if (asking) {
            timer = setTimeout(ask, TOGETHER_MS);
            return;
        }
        asking = true;
        try {
            const status = await api.status();
            const recovered = wait !== EVERY_MS;
            wait = EVERY_MS;
            show(summary(status));
            replace(body, ...details(status));
            const counts = JSON.stringify(status.counts);
            if (recovered) back();
            else if (before !== null && counts !== before) changed();
            before = counts;
        } catch (error) {
            wait = Math.min(SLOWEST_MS, wait * 2);
            const text = error.code === 'denied' ? 'not logged in' : 'not reachable';
            show({sign: '✕', tone: 'bad', text});
            replace(body, el('p', null, error.message),
                error.hint ? el('p', null, withCode(error.hint)) : null);
        }
        asking = false;
        if (timer !== null) return; // an event came meanwhile
        // A page in the background asks nothing; it asks at once when it is looked at again.
        if (document.hidden) return;
        timer = setTimeout(ask, events.live() ? Math.max(wait, FOLLOWING_MS) : wait);
        if (wait === EVERY_MS) events.start();
    }

    document.addEventListener('visibilitychange', () => {
        if (document.hidden) events.stop();
        else ask();
    });
    document.addEventListener('click', (event) => {
        if (box.open && !box.contains(event.target)) box.open = false;
    });
    box.addEventListener('keydown', (event) => {
        if (event.key !== 'Escape' || !box.open) return;
        box.open = false;
        line.focus();
    });
    ask();
}
