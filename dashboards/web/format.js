// How figures, times and amounts are written on the page. Pure functions, so that the tests can
// hold every rule: three significant digits with a unit prefix, percentages as precise as their
// interval deserves, local time with UTC beside it, and a dash for what is missing (never 0).

export const MISSING = '–';
const SPACE = '\u202f'; // narrow, and no line break between figure and unit
const MINUS = '\u2212';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const withMinus = (text) => text.replace('-', MINUS);

const rounded3 = (value) =>
    (Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));

/** Three significant digits, all of a longer whole part: 0.0123, 1.00, 16.5, 1023. */
export function significant(value) {
    if (!isNumber(value)) return MISSING;
    if (value === 0) return '0';
    const rounded = rounded3(value);
    const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
    if (magnitude < -6 || magnitude > 14) return withMinus(value.toExponential(2));
    return withMinus(rounded.toFixed(Math.max(0, 2 - magnitude)));
}

function prefixed(value, base, prefixes) {
    let scaled = value;
    let step = 0;
    // Rounding first, so that 999.7 k becomes 1.00 M and not 1000 k.
    while (step < prefixes.length - 1 && Math.abs(rounded3(scaled)) >= base) {
        scaled /= base;
        step += 1;
    }
    return [significant(scaled), prefixes[step]];
}

function seconds(value) {
    const units = [['s', 1], ['ms', 1e3], ['µs', 1e6], ['ns', 1e9]];
    const [unit, factor] = units.find(([, by]) => Math.abs(value * by) >= 1) ?? units[3];
    return significant(value * factor) + SPACE + unit;
}

/** A whole number to its last digit, by threes: what differs by one must not look equal. */
export function exact(value) {
    if (!isNumber(value)) return MISSING;
    if (!Number.isInteger(value)) return significant(value);
    return withMinus(String(value)).replace(/\B(?=(\d{3})+$)/g, SPACE);
}

/** A count is exact while that is short (ACE failures are compared to the unit), then prefixed. */
export function count(value) {
    if (!isNumber(value)) return MISSING;
    return Math.abs(value) < 1e6 ? exact(value) : quantity(value, '');
}

/** Value with its unit: 16.5 M ops/s, 3.90 MiB, 15.0 ms, 55.1 %. */
export function quantity(value, unit) {
    if (!isNumber(value)) return MISSING;
    if (['fraction', 'share', 'ratio', '1'].includes(unit)) return percent(value);
    if (value === 0) return unit === 'count' || !unit ? '0' : `0${SPACE}${unit}`;
    if (unit === 'count') return count(value);
    if (unit === 's') return seconds(value);
    if (unit === 'B' || unit === 'KiB') {
        const [figure, prefix] = prefixed(unit === 'KiB' ? value * 1024 : value, 1024,
            ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
        return figure + SPACE + prefix;
    }
    const [figure, prefix] = prefixed(value, 1000, ['', 'k', 'M', 'G', 'T']);
    return [figure, prefix, unit].filter(Boolean).join(SPACE);
}

/** The same for an axis: a rate's unit is left out, it stands once beside the chart. */
export const tick = (value, unit) => quantity(value, isRate(unit) ? '' : unit);
export const isRate = (unit) => Boolean(unit?.includes('/'));

function percentFigure(fraction, decimals) {
    const text = (fraction * 100).toFixed(decimals);
    return withMinus(Number(text) === 0 ? text.replace('-', '') : text);
}

/** A share: one decimal, two below 1 %. */
export function percent(fraction) {
    if (!isNumber(fraction)) return MISSING;
    if (fraction === 0) return `0${SPACE}%`;
    return percentFigure(fraction, Math.abs(fraction) < 0.01 ? 2 : 1) + SPACE + '%';
}

function signed(fraction, decimals) {
    const figure = percentFigure(fraction, decimals);
    return fraction > 0 && Number(figure) !== 0 ? `+${figure}` : figure;
}

/** Two decimals where the interval is narrower than 2 %, or the change below 1 %; else one. */
function changeDecimals(change, low, high) {
    if (isNumber(low) && isNumber(high)) return high - low < 0.02 ? 2 : 1;
    return Math.abs(change ?? 0) < 0.01 ? 2 : 1;
}

/** A change with its sign: +0.12 %, −5.1 %. */
export function change(fraction, low, high) {
    if (!isNumber(fraction)) return MISSING;
    return signed(fraction, changeDecimals(fraction, low, high)) + SPACE + '%';
}

/** The interval of a change: "−5.6 to −4.7 %"; an open side reads "below" or "above". */
export function interval(low, high) {
    const decimals = changeDecimals(isNumber(low) ? low : high, low, high);
    if (isNumber(low) && isNumber(high)) {
        return `${signed(low, decimals)} to ${signed(high, decimals)}${SPACE}%`;
    }
    if (isNumber(low)) return `above ${signed(low, decimals)}${SPACE}%`;
    if (isNumber(high)) return `below ${signed(high, decimals)}${SPACE}%`;
    return MISSING;
}

/** How many times the control: 1.43×. */
export const times = (ratio) => (isNumber(ratio) ? `${significant(ratio)}×` : MISSING);

const two = (n) => String(n).padStart(2, '0');

/** 2026-11-22 14:05 in the reader's zone. */
export function localTime(iso) {
    const date = new Date(iso ?? NaN);
    if (Number.isNaN(date.getTime())) return MISSING;
    return `${localDay(iso)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** 2026-11-22 in the reader's zone. */
export function localDay(iso) {
    const date = new Date(iso ?? NaN);
    if (Number.isNaN(date.getTime())) return MISSING;
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** 2026-11-22 13:05:09 UTC */
export function utcTime(iso) {
    const date = new Date(iso ?? NaN);
    if (Number.isNaN(date.getTime())) return MISSING;
    return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A length of time in its largest unit: 12 s, 3 min, 2 h, 5 d. */
export function duration(secondsLong) {
    if (!isNumber(secondsLong)) return MISSING;
    const units = [['s', 1, 60], ['min', 60, 60], ['h', 3600, 48], ['d', 86400, Infinity]];
    for (const [unit, length, limit] of units) {
        const amount = Math.max(0, Math.round(secondsLong / length));
        if (amount < limit) return `${amount}${SPACE}${unit}`;
    }
    return MISSING;
}

/** "1 commit", "3 commits". */
export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
