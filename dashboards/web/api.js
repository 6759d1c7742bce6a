// The collector's read endpoints (common/wire/README.md) as functions. Every failure, whether the
// network's or the collector's, is an ApiError with the fields of the one error body, so that the
// rest of the page has a single way to say what went wrong and what to do.

const TIMEOUT_MS = 30000;

export class ApiError extends Error {
    constructor({code, message, hint, path}, status = 0) {
        super(message);
        this.name = 'ApiError';
        this.code = code;
        this.hint = hint ?? null;
        this.path = path ?? null;
        this.status = status;
    }
}

/** Path below the page with its parameters; null and undefined parameters are left out. */
export function address(parts, parameters = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
        if (value !== null && value !== undefined && value !== '') query.set(name, value);
    }
    const path = 'api/v1/' + parts.map(encodeURIComponent).join('/');
    return query.size ? `${path}?${query}` : path;
}

/** What a failed answer says: its error body, or words for a body that is none (a proxy's page). */
export function errorOf(status, text) {
    try {
        const body = JSON.parse(text);
        if (typeof body.message === 'string') return new ApiError(body, status);
    } catch {
        // Not JSON: someone between the page and the collector answered.
    }
    return new ApiError({
        code: status === 401 || status === 403 ? 'denied' : 'failed',
        message: `the server answered with status ${status}`,
        hint: 'The answer did not come from hakperf-collector: look at the proxy in front of it.',
    }, status);
}

async function get(parts, parameters, signal) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response;
    let text;
    try {
        response = await fetch(address(parts, parameters), {
            headers: {Accept: 'application/json'},
            credentials: 'same-origin',
            signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        text = await response.text();
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new ApiError({
            code: timeout.aborted ? 'timeout' : 'unavailable',
            message: timeout.aborted ? 'the collector took too long to answer'
                : 'the collector cannot be reached',
            hint: 'Is it running? Start it with `hakperf up`; this page tries again by itself.',
        });
    }
    if (!response.ok) throw errorOf(response.status, text);
    try {
        return JSON.parse(text);
    } catch {
        throw new ApiError({code: 'invalid', message: 'the answer is not JSON', hint: null},
            response.status);
    }
}

export const repositories = (signal) => get(['repositories'], {}, signal);
export const status = (signal) => get(['status'], {}, signal);
export const log = (repository, {limit, before}, signal) =>
    get(['repositories', repository, 'log'], {limit, before, watched: 1}, signal);
export const commit = (repository, rev, signal) =>
    get(['repositories', repository, 'commits', rev], {}, signal);
export const compare = (repository, base, head, signal) =>
    get(['repositories', repository, 'compare'], {base, head}, signal);
export const series = (repository, {workload, metric, limit}, signal) =>
    get(['repositories', repository, 'series'], {workload, metric, limit}, signal);
export const selftest = (repository, signal) =>
    get(['repositories', repository, 'selftest'], {days: 30}, signal);
