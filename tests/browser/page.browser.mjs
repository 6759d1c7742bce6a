// The page in Chromium, as a real collector serves it from a real database. The service is started
// once; the tests walk through its life: nothing measured, results coming in while the page is
// open, what a reader does with them, an outage. Every test fails on any message of the browser
// that it does not expect, a breach of the Content-Security-Policy among them.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import * as documents from './documents.mjs';
import * as services from './service.mjs';

const {chromium} = createRequire(join(process.env.BUILD, 'browser.npm/'))('playwright-core');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const WIDE = {width: 1600, height: 1000};
const NARROW = {width: 390, height: 844};
const PATIENCE = {timeout: 20000};

let service;
let browser;
let context; // logged in
const commits = {}; // subject → sha
const shots = join(process.env.BUILD, 'browser.shots');

before(async () => {
    mkdirSync(shots, {recursive: true});
    service = await services.startService();
    browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: FLAGS});
    context = await browser.newContext({viewport: WIDE, timezoneId: 'Asia/Tokyo'});
});

after(async () => {
    await browser?.close();
    if (service) await services.stopService(service);
});

/** Opens the page at `hash`; `allowed` are messages that are expected. → {page, messages, answered}. */
async function open(hash = '', {allowed = [], inContext = context} = {}) {
    const page = await inContext.newPage();
    const messages = [];
    const answered = new Set(); // the paths that were answered, however early
    page.on('response', (answer) => answered.add(new URL(answer.url()).pathname));
    page.on('pageerror', (error) => messages.push(`page error: ${error.stack}`));
    page.on('console', (message) => {
        const text = `${message.type()}: ${message.text()}`;
        if (!allowed.some((pattern) => pattern.test(text))) messages.push(text);
    });
    await page.addInitScript(() => {
        addEventListener('securitypolicyviolation', (event) =>
            console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    await page.goto(`${service.address}/${hash}`);
    return {page, messages, answered};
}

/** The visible text with narrow spaces and minus signs as typed on a keyboard. */
const words = async (locator) =>
    (await locator.innerText()).replaceAll('\u202f', ' ').replaceAll('\u2212', '-');

async function has(locator, pattern) {
    await locator.waitFor(PATIENCE);
    const deadline = Date.now() + PATIENCE.timeout;
    let text;
    do {
        text = await words(locator);
        if (pattern.test(text)) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
    } while (Date.now() < deadline);
    assert.match(text, pattern);
}

async function close({page, messages}) {
    assert.deepEqual(messages, []);
    await page.close();
}

async function measure(subject, make) {
    commits[subject] = await services.commit(service, subject);
    await services.look(service);
    await deliverNext(make);
}

/** Takes jobs until none waits; `make` builds the result of the one that is measured. */
async function deliverNext(make) {
    const job = await services.claim(service);
    assert.ok(job, 'a job waits');
    const answer = await services.deliver(service, make(job));
    assert.equal(answer.stored, true);
}

// --- the life of the service -------------------------------------------------------------------

test('without a session the collector shows nothing', async () => {
    const stranger = await browser.newContext();
    const page = await stranger.newPage();
    const answer = await page.goto(service.address);
    assert.equal(answer.status(), 401);
    await stranger.close();
});

test('the login link works once, and no repository yet says what to do', async () => {
    const link = await services.loginLink(service);
    const page = await context.newPage();
    await page.goto(link);
    await has(page.locator('#comparison'), /No repository yet[^]*hakperf suite apply FILE/);
    assert.equal(new URL(page.url()).search, '');
    await page.close();
    const again = await context.newPage();
    assert.notEqual((await again.goto(link)).status(), 200);
    await again.close();
    await close(await open());
});

test('nothing measured says how to begin', async () => {
    commits.first = await services.makeRepository(service);
    const opened = await open('', {allowed: [/404/]}); // no series yet
    await has(opened.page.locator('#comparison'),
        /Nothing measured yet\.[^]*git push[^]*hakperf queue HEAD/);
    await has(opened.page.locator('#log'), /The first commit of all/);
    await has(opened.page.locator('#history'), /The first measurement begins the history/);
    await has(opened.page.locator('#selftest'), new RegExp('How far to trust it[^]*False alarms'
        + '[^]*unknown[^]*No build was compared with itself in the last 30 days[^]*unknown[^]*unknown'));
    await close(opened);
});

test('a finished measurement appears without a reload', async () => {
    // What the suite's first look queued is not part of the story.
    for (let job = await services.claim(service); job; job = await services.claim(service)) {
        await services.deliver(service, documents.failed(job));
    }
    const opened = await open('', {allowed: [/404/]}); // no series yet
    const {page} = opened;
    commits.faster = await services.commit(service, 'Keep eight empty slabs');
    await services.look(service);
    await has(page.locator('#status summary'), /1 queued/);
    const job = await services.claim(service);
    await has(page.locator('#status summary'), /1 running/);
    await services.deliver(service, documents.improved(job));
    await has(page.locator('#comparison .verdict'), /▲ improved/);
    await has(page.locator('#status summary'), /idle/);
    await page.waitForFunction(() => document.title.startsWith('improved · +44.8'), null, PATIENCE);
    await close(opened);
});

test('what happens is told by events, and nobody asks while nothing does', async () => {
    const opened = await open('', {allowed: [/404/]});
    const {page} = opened;
    await has(page.locator('#status summary'), /idle/);
    const late = Date.now() + PATIENCE.timeout;
    while (!opened.answered.has('/api/v1/events') && Date.now() < late) {
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(opened.answered.has('/api/v1/events'), 'the page follows the events');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    let asked = 0;
    page.on('request', (request) => { asked += request.url().endsWith('/api/v1/status') ? 1 : 0; });
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.ok(asked <= 1, `asked ${asked} times`);
    commits.shown = await services.commit(service, 'A commit that is shown at once');
    await services.look(service);
    const job = await services.claim(service);
    const begin = Date.now();
    await has(page.locator('#status summary'), /1 running/);
    await services.request(service, 'POST', `/api/v1/jobs/${job.job}/progress`,
        {fence: job.fence, stage: 'measure', done: 3, total: 8, text: 'random_mixed'},
        service.runner);
    await page.locator('#status summary').click();
    await has(page.locator('#status .popup'), /random_mixed, 3 of 8/);
    await services.deliver(service, documents.identical(job));
    await has(page.locator('#status summary'), /idle/);
    assert.ok(Date.now() - begin < 12000, `took ${Date.now() - begin} ms`);
    await close(opened);
});

test('the last comparison: sentence, figures, and what explains them', async () => {
    await measure('Say why eight <b>slabs</b> & no more', documents.identical);
    await measure('Break the build', documents.failed);
    await measure('Return empty slabs to the system at once', documents.regressed);
    const opened = await open();
    const {page} = opened;
    const part = page.locator('#comparison');
    await has(part.locator('.verdict'), /▼ regressed[^]*\w+/);
    const row = part.locator('.workloads tbody tr');
    const text = await words(row);
    for (const figure of ['random_mixed/8192', '16.5 M ops/cpu-s', '11.4 M ops/cpu-s', '-31.0 %',
        '64', 'regressed', '2.1 %', '31.8 %', '73 385']) {
        assert.ok(text.includes(figure), `${figure} in ${text}`);
    }
    assert.equal(await row.locator('svg.whisker').count(), 1);
    assert.equal(await part.locator('details[open]').count(), 0, 'details are on demand');
    for (const summary of await part.locator('.more > summary').all()) await summary.click();
    const all = await words(part);
    for (const detail of ['sys.munmap', '74 112', 'HAKMEM_KEEP_EMPTY', 'governor of CPU 1', 'EPYC',
        'hakperf-runner measure']) {
        assert.ok(all.includes(detail), `${detail} in ${all}`);
    }
    assert.ok(!all.includes('tiny.alloc'), 'what does not differ is not listed');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await part.getByRole('button', {name: 'Copy'}).click();
    await has(part.locator('.command'), /copied/);
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^hakperf-runner measure/);
    await close(opened);
});

test('the list of commits: verdicts, figures, and why one failed', async () => {
    const opened = await open();
    const {page} = opened;
    const row = (subject) => page.locator('.log tbody tr', {hasText: subject});
    await has(row('Return empty slabs'), /regressed[^]*-31\.0 %[^]*31\.8 %[^]*73 385/);
    await has(row('Keep eight empty slabs'), /improved[^]*\+44\.8 %/);
    await has(row('Break the build'), /failed[^]*building head/);
    // Text stays text, whatever a commit's author wrote.
    await has(row('Say why eight'), /identical[^]*<b>slabs<\/b> & no more/);
    const shown = row('Return empty slabs').locator('time');
    assert.match(await shown.getAttribute('title'), /UTC$/);
    assert.match(await shown.innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    await close(opened);
});

test('a commit is opened from the list, shared by its link, left by the back button', async () => {
    const opened = await open();
    const {page} = opened;
    await page.locator('.log a.sha', {hasText: commits['Break the build'].slice(0, 7)}).click();
    await has(page.locator('#comparison'), /Comparison with the parent[^]*failed/);
    await has(page.locator('#comparison'), /expected ';' before 'return'/);
    assert.ok(page.url().includes(commits['Break the build']));
    const copy = await open(new URL(page.url()).hash);
    await has(copy.page.locator('#comparison .verdict'), /failed/);
    await close(copy);
    await page.goBack();
    await has(page.locator('#comparison'), /Last comparison[^]*regressed/);
    await close(opened);
});

test('the chart: pointing tells, a click and Enter select', async () => {
    const opened = await open();
    const {page} = opened;
    const over = page.locator('.u-over');
    await over.waitFor(PATIENCE);
    await over.scrollIntoViewIfNeeded();
    const box = await over.boundingBox();
    await page.mouse.move(box.x + box.width - 20, box.y + box.height / 2);
    await has(page.locator('.tip'),
        /Return empty slabs[^]*11\.4 M ops\/cpu-s[^]*interval[^]*regressed/);
    await page.mouse.move(box.x, box.y - 200);
    await page.locator('.chart').focus();
    await page.keyboard.press('End');
    await has(page.locator('.tip'), /Return empty slabs/);
    for (let i = 0; i < 9 && !/Keep eight/.test(await words(page.locator('.tip'))); i += 1) {
        await page.keyboard.press('ArrowLeft');
    }
    await has(page.locator('.tip'), /Keep eight/);
    await page.keyboard.press('Enter');
    await has(page.locator('#comparison .verdict'), /improved/);
    assert.ok(page.url().includes(commits.faster));
    await over.scrollIntoViewIfNeeded();
    const again = await over.boundingBox();
    await page.mouse.click(again.x + again.width - 20, again.y + again.height / 2);
    await has(page.locator('#comparison .verdict'), /regressed/);
    await close(opened);
});

test('another metric, the ratio to the control, and a metric nobody measured', async () => {
    const opened = await open('', {allowed: [/404/]});
    const {page} = opened;
    const choose = (label, value) => page.locator('#history').getByLabel(label).selectOption(value);
    await choose('Show', 'ratio');
    await page.waitForURL(/scale=ratio/);
    await has(page.locator('#history'), /multiple of the control/);
    await choose('Metric', 'ace_failures');
    await page.waitForURL(/metric=ace_failures/);
    await has(page.locator('#history'), /lower is better/);
    await choose('Metric', 'counter:sys.munmap');
    await has(page.locator('#history .legend'), /\d commits?/);
    await choose('Metric', 'startup_cpu');
    await has(page.locator('#history .note'), /\w/);
    await choose('Metric', 'throughput');
    await has(page.locator('#history .legend'), /higher is better/);
    await close(opened);
});

test('two revisions that no run compared: joined, and how to measure; the form stays', async () => {
    const opened = await open('', {allowed: [/404/]});
    const {page} = opened;
    await page.getByLabel('Base', {exact: true}).fill(commits.first);
    await page.getByLabel('Head', {exact: true}).fill('main');
    await page.getByRole('button', {name: 'Compare'}).click();
    await has(page.locator('#comparison'),
        /inconclusive[^]*through the reference[^]*compared[^]*reference/i);
    await has(page.locator('#comparison .command'), /^hakperf compare --measure \w+ \w+/);
    assert.equal(await page.getByLabel('Head', {exact: true}).inputValue(), 'main');
    await page.getByLabel('Base', {exact: true}).fill('main~1');
    await page.getByRole('button', {name: 'Compare'}).click();
    await has(page.locator('#comparison .verdict'), /regressed/);
    await page.getByLabel('Head', {exact: true}).fill('no-such-branch');
    await page.keyboard.press('Enter');
    await has(page.locator('#comparison [role=alert]'), /no-such-branch/);
    await page.getByText('Back to the last one').click();
    await has(page.locator('#comparison .verdict'), /regressed/);
    await close(opened);
});

test('it can be read at both widths, in both schemes', async () => {
    for (const viewport of [WIDE, NARROW]) {
        for (const colorScheme of ['light', 'dark']) {
            const opened = await open();
            const {page} = opened;
            await page.setViewportSize(viewport);
            await page.emulateMedia({colorScheme});
            await page.locator('.u-over').waitFor(PATIENCE);
            const width = await page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(width <= viewport.width, `${width} of ${viewport.width} px`);
            const pale = await page.evaluate(paleTexts);
            assert.deepEqual(pale, [], `contrast in ${colorScheme} at ${viewport.width}`);
            await page.screenshot({fullPage: true,
                path: join(shots, `${viewport.width}-${colorScheme}.png`)});
            await close(opened);
        }
    }
});

/** Runs in the page: texts whose contrast to the ground behind them is below 4.5 (WCAG AA). */
function paleTexts() {
    const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const groundOf = (node) => {
        for (let n = node; n; n = n.parentElement) {
            const color = channels(getComputedStyle(n).backgroundColor);
            if (color.length === 3 || color[3] > 0.99) return color;
        }
        return [255, 255, 255];
    };
    const pale = [];
    for (const node of document.querySelectorAll('body *')) {
        const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || !node.checkVisibility()) continue;
        const [a, b] = [channels(getComputedStyle(node).color), groundOf(node)].map(luminance);
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) pale.push(`${contrast.toFixed(2)}: ${node.textContent.slice(0, 40)}`);
    }
    return pale;
}

test('the keyboard reaches everything, and what it reaches has a name', async () => {
    const opened = await open();
    const {page} = opened;
    await page.locator('.u-over').waitFor(PATIENCE);
    const reached = new Set();
    for (let i = 0; i < 60; i += 1) {
        await page.keyboard.press('Tab');
        reached.add(await page.evaluate(() => {
            const node = document.activeElement;
            const label = node.getAttribute('aria-label') || node.labels?.[0]?.innerText ||
                node.innerText || node.placeholder;
            return `${node.tagName.toLowerCase()}.${node.className}: ${label}`;
        }));
    }
    const all = [...reached].join('\n');
    for (const wanted of [/a\.skip/, /summary\.tone/, /input.*Base/, /button.*Compare/, /a\.sha/,
        /summary.*Reproduce/, /select.*Metric/, /div\.chart.*Chart/]) {
        assert.match(all, wanted);
    }
    assert.doesNotMatch(all, /: (undefined|null)?$/m);
    await close(opened);
});

test('an outage is told, and the page comes back by itself', async () => {
    const opened = await open('', {allowed: [/ERR_CONNECTION|ERR_EMPTY|50\d/]});
    const {page} = opened;
    await has(page.locator('#comparison .verdict'), /regressed/);
    await services.stopCollector(service);
    await has(page.locator('#status summary'), /not reachable/);
    await has(page.locator('#comparison .verdict'), /regressed/); // what was there stays
    await services.serve(service);
    await has(page.locator('#status summary'), /idle|no runner|queued/);
    await close(opened);
});

test('a service that calls a build different from itself says so', async () => {
    // One that is due; by itself it comes when a repository has been measured for an hour.
    await services.sql(service, `INSERT INTO store.job (repository, kind, head, base, suite_hash,
        priority, position) SELECT repository, 'aa', head, head, suite_hash, -1, 1 FROM store.job
        WHERE kind = 'commit' AND head = '${commits['Return empty slabs to the system at once']}'`);
    // The run that confirms the regression goes first, and is tried twice.
    let job = await services.claim(service);
    for (; job && job.kind !== 'aa'; job = await services.claim(service)) {
        await services.deliver(service, documents.failed(job));
    }
    await services.deliver(service, documents.regressed(job));
    const opened = await open();
    const {page} = opened;
    const part = page.locator('#selftest');
    await has(part, /1 of 1[^]*compared with itself 1 time[^]*told a change\./);
    await has(part.locator('[role=alert]'), /1 open alert about itself[^]*hakperf alerts/);
    await has(part, /Planted slowdowns[^]*unknown[^]*nine times in ten/);
    await part.locator('summary').click();
    await part.screenshot({path: join(shots, 'selftest.png')});
    await has(part.locator('table'), /random_mixed\/8192[^]*a build with itself[^]*no[^]*-31\.0 %/);
    await close(opened);
});

test('a session that is over says so', async () => {
    const opened = await open('', {allowed: [/401/]});
    await has(opened.page.locator('#comparison .verdict'), /regressed/);
    await context.clearCookies();
    await has(opened.page.locator('#status summary'), /not logged in/);
    await opened.page.locator('.log a.sha').first().click();
    await has(opened.page.locator('#comparison [role=alert]'), /\w+[^]*(login|hakperf)/i);
    await close(opened);
});
