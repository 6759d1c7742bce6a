// A whole service of its own for the browser test: a repository, a private PostgreSQL and a real
// hakperf-collector on a free loopback port, all below one temporary folder, and the requests that
// a runner would make. Nothing of it is left after stop().

import {execFile, spawn} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

import {suite} from './documents.mjs';

const run = promisify(execFile);
const READY_MS = 60000;

function collectorProgram() {
    if (!process.env.BUILD) throw new Error('BUILD names no build: use make check-browser');
    return join(process.env.BUILD, 'bin', 'hakperf-collector');
}

export async function startService() {
    const folder = mkdtempSync(join(tmpdir(), 'hakperf-browser-'));
    chmodSync(folder, 0o755); // started as root, the collector reads the repository as its own user
    const service = {folder, state: join(folder, 'state'), process: null};
    try {
        await verb(service, 'db', 'start');
        await serve(service);
        service.admin = await token(service, 'admin');
        service.runner = await token(service, 'runner');
    } catch (error) {
        await stopService(service);
        throw error;
    }
    return service;
}

/** Ends the collector and the database, by the pid and the verb that belong to them. */
export async function stopService(service) {
    await stopCollector(service);
    await verb(service, 'db', 'stop').catch(() => {}); // it may not have come so far
    rmSync(service.folder, {recursive: true, force: true});
}

export async function stopCollector(service) {
    const child = service.process;
    service.process = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
}

/** Starts the collector, at the second time on the port it had. */
export async function serve(service) {
    const listen = service.address ? new URL(service.address).host : '127.0.0.1:0';
    const child = spawn(collectorProgram(), ['serve', '--state', service.state, '--listen', listen,
        '--local-repositories', service.folder],
        {stdio: ['ignore', 'pipe', 'pipe']});
    service.process = child;
    let said = '';
    service.address = await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`the collector ${why}: ${said}`));
        const timer = setTimeout(() => fail('is not ready'), READY_MS);
        child.stderr.on('data', (text) => { said += text; });
        child.once('error', (error) => fail(error.message));
        child.once('exit', (code) => fail(`ended with ${code}`));
        child.stdout.on('data', (text) => {
            said += text;
            const ready = /^ready: (http\S+)/m.exec(said);
            if (!ready) return;
            clearTimeout(timer);
            resolve(ready[1]);
        });
    });
}

async function verb(service, ...words) {
    const {stdout} = await run(collectorProgram(), [...words, '--state', service.state]);
    return stdout.trim();
}

/** Runs one SQL statement in the private database, as its owner. */
export const sql = (service, text) => run(collectorProgram(),
    ['db', 'psql', '--state', service.state, '--role', 'owner', '-c', text]);

const token = (service, scope) =>
    verb(service, 'token', 'create', '--name', scope, '--scope', scope);

export const loginLink = (service) => verb(service, 'login-link');

/** → parsed body, null where there is none; an answer that is no success throws its body. */
export async function request(service, method, path, body, secret = service.admin) {
    const answer = await fetch(`${service.address}${path}`, {
        method, body: body ? JSON.stringify(body) : undefined,
        headers: {Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json'},
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
}

/** The next job as a runner gets it, or null. */
export const claim = (service) => request(service, 'POST', '/api/v1/jobs/claim',
    {runner: 'bench-1', version: '0'}, service.runner);

export const deliver = (service, result) =>
    request(service, 'PUT', `/api/v1/runs/${result.run}`, result, service.runner);

// --- the repository --------------------------------------------------------------------------

export async function git(service, ...words) {
    const {stdout} = await run('git', ['-C', join(service.folder, 'work'), ...words], {
        env: {...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1',
            GIT_AUTHOR_NAME: 'Hana Kurosawa', GIT_AUTHOR_EMAIL: 'hana@example.org',
            GIT_COMMITTER_NAME: 'Hana Kurosawa', GIT_COMMITTER_EMAIL: 'hana@example.org'},
    });
    return stdout.trim();
}

/** Adds a commit that touches the watched folder, and pushes it. → its sha. */
export async function commit(service, subject) {
    const work = join(service.folder, 'work');
    writeFileSync(join(work, 'allocator', 'tiny.c'), `/* ${subject} */\n`);
    await git(service, 'add', '-A');
    await git(service, 'commit', '-q', '-m', subject);
    await git(service, 'push', '-q', 'origin', 'main');
    return git(service, 'rev-parse', 'HEAD');
}

/** A bare repository with a first commit, and the golden suite applied to it. */
export async function makeRepository(service) {
    const bare = join(service.folder, 'hakmem.git');
    mkdirSync(join(service.folder, 'work', 'allocator'), {recursive: true});
    await git(service, 'init', '-q', '-b', 'main', '.');
    await git(service, 'init', '-q', '--bare', '-b', 'main', bare);
    await git(service, 'remote', 'add', 'origin', bare);
    const first = await commit(service, 'The first commit of all');
    const document = suite();
    document.repository.url = bare;
    document.driver.rev = first;
    await request(service, 'PUT', '/api/v1/suites', document);
    return first;
}

export const look = (service) => request(service, 'POST', '/api/v1/repositories/hakmem/look', {});
