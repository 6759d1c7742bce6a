// Results for jobs of a real collector, made from the golden examples of the wire: the samples are
// the examples' own, only what ties a document to its job is filled in.

import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';

const example = (name) =>
    JSON.parse(readFileSync(new URL(`../../common/wire/examples/${name}`, import.meta.url)));

/** SHA-256 of the canonical text: keys sorted, no spaces (hp_hash_json). */
export function hashOf(value) {
    const sorted = (v) => {
        if (Array.isArray(v)) return v.map(sorted);
        if (v === null || typeof v !== 'object') return v;
        return Object.fromEntries(Object.keys(v).sort().map((key) => [key, sorted(v[key])]));
    };
    return createHash('sha256').update(JSON.stringify(sorted(value))).digest('hex');
}

/** Identity of a workload: all of it that is executed (hp_workload_hash). */
export function workloadHash(suite, workload) {
    const executed = ['program', 'arguments', 'environment', 'seeds', 'threads',
        'headline_iterations', 'iterations'];
    const identity = {recipe: suite.recipe, driver: suite.driver};
    if (suite.preload) identity.preload = suite.preload;
    for (const key of executed) if (key in workload) identity[key] = workload[key];
    return hashOf(identity);
}

export const suite = () => example('suite-v1.json');

function tie(result, job) {
    Object.assign(result, {run: job.run, job: job.job, fence: job.fence, attempt: job.attempt,
        repository: job.repository, suite_hash: job.suite_hash});
    // The first commit of all has no base.
    result.arms = result.arms.filter((arm) => arm.name === 'control' || job[arm.name]);
    for (const arm of result.arms) {
        if (arm.name !== 'control') arm.sha = job[arm.name].sha;
    }
    if (result.driver) result.driver.sha = job.driver.sha;
    for (const w of result.workloads) {
        w.hash = workloadHash(job.suite, job.suite.workloads.find((s) => s.name === w.name));
    }
    return result;
}

/** The example as it is: head a third slower, with 73,385 ACE failures where there were none. */
export const regressed = (job) => tie(example('result-v1.json'), job);

/** The same run seen from the other side: what was base is head. */
export function improved(job) {
    const result = tie(example('result-v1.json'), job);
    const other = {head: 'base', base: 'head', control: 'control'};
    const [w] = result.workloads;
    for (const item of [...w.samples, ...w.measurements]) item.arm = other[item.arm];
    w.configuration = {head: w.configuration.base, base: w.configuration.head};
    const {estimate, low, high} = w.decision;
    Object.assign(w.decision, {verdict: 'improved', estimate: -estimate, low: -high, high: -low});
    return result;
}

/** Both arms gave the same code: nothing was timed. */
export function identical(job) {
    const result = tie(example('result-v1.json'), job);
    const [head, base] = result.arms;
    base.code_hash = head.code_hash;
    return {...result, status: 'identical', workloads: []};
}

/** The example of a build that failed. */
export const failed = (job) => tie(example('result-failed-v1.json'), job);
