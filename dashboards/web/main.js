// Puts the page together: reads the route from the address, asks the collector for what it needs,
// and gives each part its data. The parts know nothing of each other; they meet here.

import * as api from './api.js';
import {el, replace} from './dom.js';
import {change} from './format.js';
import {renderComparison} from './comparison.js';
import {createHistory} from './history.js';
import {renderLog} from './log.js';
import {createPanel} from './panel.js';
import {link, parse} from './route.js';
import {renderSelftest} from './selftest.js';
import {choices} from './series.js';
import {watchStatus} from './status.js';
import {hasResult, verdictOf} from './verdict.js';

const PAGE_OF_LOG = 20;
const POINTS = 500;

const at = (id) => document.getElementById(id);
const panels = {
    comparison: createPanel(at('comparison-body')),
    history: createPanel(at('history-body')),
    log: createPanel(at('log-body')),
    selftest: createPanel(at('selftest-body')),
};
const state = {
    route: parse(location.hash),
    repositories: [],
    repository: null, // name of the one that is shown
    entries: [],
    next: null,
    series: null,
    comparison: null,
    listed: '', // the list on the page, as text; likewise
    shown: '', // the comparison on the page, as text: equal means nothing to redraw
    tested: '', // the self-tests on the page, likewise
};
const history_ = createHistory({tools: at('history-tools'), panel: panels.history, go});

/** Changes the route; what the new one needs is loaded when the address has changed. */
function go(changes, {jump = false} = {}) {
    location.hash = link({...state.route, ...changes});
    if (jump) jumpToComparison();
}

function jumpToComparison() {
    at('comparison').focus({preventScroll: true});
    at('comparison').scrollIntoView({block: 'nearest'});
}

const compareFields = compareForm();
const backLink = el('a', {hidden: true}, 'Back to the last one');
const hrefOf = (sha) => link({...state.route, base: null, head: sha});
const code = (text) => el('code', null, text);

// --- repository ------------------------------------------------------------------------------

async function loadRepositories(quiet = false) {
    await panels.comparison.load(api.repositories, (answer) => {
        state.repositories = answer.repositories;
        const names = answer.repositories.map((r) => r.name);
        const wanted = state.route.repo;
        if (wanted && !names.includes(wanted)) {
            state.repository = null;
            panels.comparison.fail({code: 'not_found', message: `no repository is named ${wanted}`,
                hint: names.length ? `Known: ${names.join(', ')}.` : null});
        } else {
            state.repository = wanted ?? names[0] ?? null;
            if (!state.repository) showNoRepository();
        }
        drawRepository(names);
    }, {quiet});
}

function showNoRepository() {
    panels.comparison.empty(el('p', {class: 'note-title'}, 'No repository yet.'),
        el('p', null, 'Name one and what to measure in it: ', code('hakperf suite apply FILE')));
    // The other parts have nothing to say: the style sheet hides what is empty.
    replace(panels.history.root);
    replace(panels.log.root);
    replace(panels.selftest.root);
}

function drawRepository(names) {
    if (names.length < 2) {
        replace(at('repository'), state.repository);
        return;
    }
    const choose = (event) => { location.hash = link({repo: event.target.value}); };
    replace(at('repository'), el('label', null, el('span', {class: 'spoken'}, 'Repository'),
        el('select', {onchange: choose}, names.map((name) =>
            el('option', {value: name, selected: name === state.repository}, name)))));
}

// --- commits ---------------------------------------------------------------------------------

const loadLog = (quiet) => panels.log.load(
    // A refresh asks for as many as are on the page, so that none of them disappears.
    (signal) => api.log(state.repository,
        {limit: Math.min(500, Math.max(PAGE_OF_LOG, quiet ? state.entries.length : 0))}, signal),
    (answer) => {
        state.entries = answer.commits;
        state.next = answer.next;
        drawLog();
    }, {quiet});

const loadOlder = () => panels.log.load(
    (signal) => api.log(state.repository, {limit: PAGE_OF_LOG, before: state.next}, signal),
    (answer) => {
        state.entries = [...state.entries, ...answer.commits];
        state.next = answer.next;
        drawLog();
    });

function drawLog() {
    if (!state.entries.length) {
        panels.log.empty(el('p', null, 'The repository has no commit on its default branch yet.'));
        return;
    }
    const selected = selectedSha();
    const text = JSON.stringify([state.entries, selected, state.next, state.route]);
    if (text === state.listed && panels.log.root.dataset.state === 'content') return;
    state.listed = text;
    panels.log.show(renderLog(state.entries, {
        hrefOf, selected, more: state.next ? loadOlder : null,
    }));
}

const selectedSha = () => state.comparison?.head?.sha ?? state.route.head;

// --- comparison ------------------------------------------------------------------------------

/** The comparison of the route: two revisions, one commit with its parent, or the last result. */
async function fetchComparison(signal) {
    const {base, head} = state.route;
    if (base) {
        return {run: null, comparison: await api.compare(state.repository, base, head, signal)};
    }
    const rev = head ?? await lastResult(signal);
    return rev ? api.commit(state.repository, rev, signal) : null;
}

/** The newest commit with a result, or null; looks back as far as a busy queue reasonably is. */
async function lastResult(signal) {
    let before = null;
    for (let page = 0; page < 10; page += 1) {
        const {commits, next} = await api.log(state.repository, {limit: 50, before}, signal);
        const found = commits.find(hasResult);
        if (found || !next) return found?.sha ?? null;
        before = next;
    }
    return null;
}

function loadComparison(quiet) {
    // Before the answer too: where it is an error, the form and the way back are what helps.
    if (!quiet) drawComparisonHead(null);
    return panels.comparison.load(fetchComparison, drawComparison, {quiet});
}

function drawComparison(answer) {
    const text = JSON.stringify([state.route, answer]);
    state.comparison = answer?.comparison ?? null;
    drawComparisonHead(answer);
    // A refresh without news leaves opened details open.
    if (text === state.shown && panels.comparison.root.dataset.state === 'content') return;
    state.shown = text;
    if (!answer) showNothingMeasured();
    else if (!answer.comparison) showUnmeasured(answer.commit);
    else panels.comparison.show(renderComparison(answer, hrefOf));
}

function drawComparisonHead(answer) {
    const selected = Boolean(state.route.head);
    at('comparison-title').textContent = !selected ? 'Last comparison'
        : state.route.base ? 'Comparison' : 'Comparison with the parent';
    backLink.hidden = !selected;
    backLink.href = link({...state.route, base: null, head: null});
    const told = answer?.comparison;
    const worst = told?.workloads?.find((w) => w.verdict === told.verdict);
    document.title = [
        told ? verdictOf(told.verdict, told.size).word : null,
        typeof worst?.change === 'number' ? change(worst.change, worst.low, worst.high) : null,
        state.repository, 'hakperf',
    ].filter(Boolean).join(' · ');
}

/** Made once: what the reader types must outlive every refresh. */
function compareForm() {
    const field = (name, label) => el('label', null, label, ' ', el('input', {
        name, required: true, size: 12, placeholder: name === 'base' ? 'v1 or HEAD~1' : 'HEAD',
        autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off'}));
    return el('form', {onsubmit: (event) => {
        event.preventDefault();
        const form = new FormData(event.target);
        go({base: form.get('base').trim(), head: form.get('head').trim()});
    }}, field('base', 'Base'), field('head', 'Head'), el('button', null, 'Compare'));
}

function fillCompareForm() {
    const {base, head} = state.route;
    compareFields.elements.base.value = base ?? '';
    compareFields.elements.head.value = base ? head : '';
}

function showNothingMeasured() {
    panels.comparison.empty(el('p', {class: 'note-title'}, 'Nothing measured yet.'),
        el('p', null, code('git push'), ', or ', code('hakperf queue HEAD'),
            '. The first verdict appears here by itself.'));
}

function showUnmeasured(commit) {
    panels.comparison.empty(
        el('p', {class: 'note-title'}, `${commit.short} ${commit.subject}`),
        commit.reason ? el('p', null, commit.reason) : null,
        el('p', null, waitingWords(commit)));
}

function waitingWords(commit) {
    switch (commit.state) {
    case 'queued':
    case 'running':
        return `It is ${commit.state}; the verdict appears here by itself.`;
    case 'measured': // the first commit of all
        return ['It was measured, and there is no parent to compare it with. ',
            'Its values are in the history below.'];
    default:
        return ['It was not measured. To measure it: ', code(`hakperf queue ${commit.short}`)];
    }
}

// --- series ----------------------------------------------------------------------------------

async function fetchSeries(signal) {
    const {workload, metric} = state.route;
    try {
        return await api.series(state.repository, {workload, metric, limit: POINTS}, signal);
    } catch (error) {
        // Without a choice of the reader's it only means that nothing was timed yet.
        if (error.code !== 'not_found' || workload || metric) throw error;
        return {workload, metric, points: []};
    }
}

const loadSeries = (quiet) => panels.history.load(fetchSeries,
    (answer) => {
        state.series = answer;
        drawSeries();
    }, {quiet});

function drawSeries() {
    history_.draw(state.series, state.route.scale ?? 'value', selectedSha());
}

// --- self-tests -------------------------------------------------------------------------------

const loadSelftest = (quiet) => panels.selftest.load(
    (signal) => api.selftest(state.repository, signal),
    (answer) => {
        const text = JSON.stringify([state.repository, answer]);
        if (text === state.tested && panels.selftest.root.dataset.state === 'content') return;
        state.tested = text;
        panels.selftest.show(renderSelftest(answer));
    }, {quiet});

// --- all together ----------------------------------------------------------------------------

async function loadAll(quiet = false) {
    await loadRepositories(quiet);
    if (!state.repository) return;
    await Promise.all([
        loadComparison(quiet), loadLog(quiet), loadSeries(quiet), loadSelftest(quiet),
    ]);
    drawSelection();
}

/** The choices and the marked commit depend on answers that came in any order. */
function drawSelection() {
    if (panels.log.root.dataset.state === 'content') drawLog();
    if (panels.history.root.dataset.state === 'content') drawSeries();
    // Where the series failed, the choices are the way out of it.
    history_.tools(choices(state.series ?? state.route, state.comparison, state.entries),
        state.series ?? state.route, state.route.scale ?? 'value');
}

async function routeChanged() {
    const before = state.route;
    state.route = parse(location.hash);
    at('home').href = link({repo: state.route.repo});
    const moved = (...keys) => keys.some((key) => before[key] !== state.route[key]);
    if (moved('base', 'head')) fillCompareForm();
    if (moved('repo') || !state.repository) {
        Object.assign(state, {entries: [], series: null, comparison: null, shown: ''});
        await loadAll();
        return;
    }
    if (moved('workload', 'metric')) state.series = null;
    await Promise.all([
        moved('base', 'head') ? loadComparison() : null,
        moved('workload', 'metric') ? loadSeries() : null,
    ]);
    drawSelection();
}

addEventListener('hashchange', routeChanged);
replace(at('comparison-tools'), compareFields, backLink);
fillCompareForm();
// The links of the list change what stands above it: bring that into view.
at('log').addEventListener('click', (event) => {
    if (event.target.closest('a.sha') && !event.ctrlKey && !event.metaKey) jumpToComparison();
});
document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault(); // the part behind '#' is the route
    jumpToComparison();
});
watchStatus(at('status'), {changed: () => loadAll(true), back: () => loadAll(true)});
loadAll();
