// A series as the chart needs it: columns of numbers, their range, and the words for one point.
// Kept apart from the drawing, so that it can be tested without a browser.

import {quantity, times} from './format.js';
import {verdictOf} from './verdict.js';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const orNull = (value) => (isNumber(value) ? value : null);

// What every run with timed workloads has (common/metrics.c), the most asked for first; the
// counters of the library under test come from the comparison.
const USUAL_METRICS = ['throughput', 'kernel_share', 'ace_failures', 'headline', 'peak_rss',
    'warm_throughput', 'startup_cpu', 'wall', 'minor_faults'];

const FIELDS = {
    value: ['value', 'low', 'high'],
    ratio: ['ratio', 'ratio_low', 'ratio_high'],
};

/** scale: 'value' or 'ratio'. → [x, value, low, high], null where a point has none. */
export function columns(points, scale) {
    const [value, low, high] = FIELDS[scale];
    return [
        points.map((_, i) => i),
        points.map((p) => orNull(p[value])),
        // A band needs both sides: a point whose interval is unknown lies on its own value.
        points.map((p) => orNull(p[low]) ?? orNull(p[value])),
        points.map((p) => orNull(p[high]) ?? orNull(p[value])),
    ];
}

/** Whether the series can be shown as a ratio at all. */
export const hasRatio = (points) => points.some((p) => isNumber(p.ratio));

/** What the newest ratio is to: 'reference' where the suite names one, else 'control'. */
export const yardstick = (points) => points.findLast((p) => p.against)?.against ?? 'control';

/**
 * The y range of the points first…last: all intervals with a margin. It does not start at 0 (a
 * change of 1 % has to be seen), but never crosses 0 where no value does.
 */
export function yRange([, value, low, high], first, last) {
    const shown = [value, low, high].flatMap((column) => column.slice(first, last + 1))
        .filter(isNumber);
    if (!shown.length) return [0, 1];
    const min = Math.min(...shown);
    const max = Math.max(...shown);
    // At least 2 % of the value high, or noise of 0.01 % would fill the chart.
    const span = Math.max(max - min, 0.02 * Math.max(Math.abs(min), Math.abs(max)));
    if (span === 0) return [0, 1];
    const middle = (min + max) / 2;
    const bottom = middle - span * 0.62;
    return [min >= 0 ? Math.max(0, bottom) : bottom, middle + span * 0.62];
}

/** The index of the selected commit, or -1. */
export const indexOf = (points, sha) =>
    (sha ? points.findIndex((p) => p.sha.startsWith(sha) || p.short === sha) : -1);

/** What is said of one point: {commit, subject, value, interval, standing, time}, null: none. */
export function describe(point, series, scale) {
    const [value, low, high] = FIELDS[scale].map((field) => point[field]);
    const write = scale === 'ratio' ? times : (v) => quantity(v, series.unit);
    const missing = point.verdict === 'identical' ? 'same code as its base' : 'no value';
    return {
        commit: point.short,
        subject: point.subject,
        value: !isNumber(value) ? missing
            : scale === 'ratio' ? `${write(value)} the ${point.against ?? 'control'}` : write(value),
        interval: isNumber(low) && isNumber(high) && low !== high
            ? `${write(low)} to ${write(high)}` : null,
        standing: point.verdict ? verdictOf(point.verdict, point.size) : null,
        time: point.time,
    };
}

/** "kernel_share" → "kernel share"; "counter:os_munmap" keeps the counter's own name. */
export function metricTitle(name) {
    if (!name) return '';
    if (name.startsWith('counter:')) return `counter ${name.slice('counter:'.length)}`;
    return name.replaceAll('_', ' ').replace(/\b(ace|cpu|rss)\b/g, (word) => word.toUpperCase());
}

/** What can be chosen, from what was measured: {workloads, metrics}, the shown ones included. */
export function choices(series, comparison, entries) {
    const unique = (names) => [...new Set(names.filter(Boolean))];
    const compared = comparison?.workloads ?? [];
    const counters = compared.flatMap((w) => (w.counters ?? []).map((c) => c.name))
        .map((name) => (name.startsWith('counter:') ? name : `counter:${name}`)).sort();
    return {
        workloads: unique([...compared.map((w) => w.workload), ...entries.map((e) => e.workload),
            series?.workload]).sort(),
        metrics: unique([...compared.map((w) => w.metric), ...USUAL_METRICS, ...counters,
            series?.metric]),
    };
}
