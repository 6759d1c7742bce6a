// The chart of a series, on uPlot. It stands on commits, not on time: one step a commit, so that
// a busy day is as readable as a quiet month. The line is the value, the band its interval, the
// sign on each point its verdict. Pointer, touch and arrow keys walk the points; click or Enter
// selects one; dragging zooms, a double click shows all again.

import uPlot from './uPlot.esm.js';
import {badge} from './badge.js';
import {el, replace} from './dom.js';
import {localDay, localTime, tick, times} from './format.js';
import {drawMark} from './marks.js';
import {columns, describe, indexOf, yRange} from './series.js';
import {verdictOf} from './verdict.js';

const HEIGHT = 320;
const NARROW = 600; // below: less height
const MARK_RADIUS = 5;

/** Colours come from the style sheet, which knows the scheme. */
function palette() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
        line: get('accent'), band: get('band'), grid: get('line'), text: get('muted'),
        ground: get('ground'), ink: get('ink'),
        tones: Object.fromEntries(['good', 'bad', 'mild', 'calm', 'unsure', 'faint', 'wait']
            .map((tone) => [tone, get(tone)])),
    };
}

/**
 * onSelect(point) is called for a click or Enter. → {root, draw(series, scale, selectedSha)}.
 * The chart lives as long as the page.
 */
export function createChart(onSelect) {
    const place = el('div', {class: 'plot'});
    const tip = el('div', {class: 'tip', hidden: true});
    const root = el('div', {
        class: 'chart', tabindex: '0', role: 'group',
        'aria-label': 'Chart: arrow keys walk the commits, Enter opens one',
    }, place, tip, el('div', {class: 'spoken', 'aria-live': 'polite'}));
    const view = {root, place, tip, onSelect, plot: null, series: null, scale: 'value',
        selected: -1};

    new ResizeObserver(() => {
        if (view.plot && place.clientWidth !== view.plot.width) view.plot.setSize(sizeOf(place));
    }).observe(place);
    matchMedia('(prefers-color-scheme: dark)')
        .addEventListener('change', () => view.plot && build(view));
    root.addEventListener('keydown', (event) => onKey(view, event));
    root.addEventListener('blur', () => hide(view));

    return {
        root,
        draw(series, scale, selectedSha) {
            const selected = indexOf(series.points, selectedSha);
            // Without news the chart stays, and with it what the reader zoomed to or points at.
            const text = JSON.stringify([series, scale]);
            const same = view.plot && text === view.text;
            Object.assign(view, {series, scale, selected, text});
            if (same) view.plot.redraw(false);
            else build(view);
        },
    };
}

// --- building --------------------------------------------------------------------------------

function sizeOf(place) {
    const width = place.clientWidth || NARROW;
    return {width, height: width < NARROW ? 240 : HEIGHT};
}

function build(view) {
    const {place, series, scale} = view;
    view.plot?.destroy();
    view.data = columns(series.points, scale);
    view.colors = palette();
    view.current = null;
    hide(view);
    const last = series.points.length - 1;
    view.plot = new uPlot({
        ...sizeOf(place),
        legend: {show: false},
        padding: [12, 12, 0, 0],
        cursor: {y: false, points: {show: false}, drag: {x: true, y: false, dist: 8}},
        scales: {
            x: {time: false, range: (_, min, max) =>
                (min === null ? [-0.5, last + 0.5]
                    : [Math.max(-0.5, min - 0.5), Math.min(last + 0.5, max + 0.5)])},
            y: {range: (plot) => {
                const {min, max} = plot.scales.x;
                return yRange(view.data, Math.max(0, Math.ceil(min ?? 0)),
                    Math.min(last, Math.floor(max ?? last)));
            }},
        },
        axes: [xAxis(view), yAxis(view)],
        series: [
            {},
            {stroke: view.colors.line, width: 1.5, points: {show: false}, spanGaps: true},
            {stroke: 'transparent', points: {show: false}, spanGaps: true},
            {stroke: 'transparent', points: {show: false}, spanGaps: true},
        ],
        bands: [{series: [3, 2], fill: view.colors.band}],
        hooks: {
            draw: [(plot) => drawPoints(view, plot)],
            setCursor: [(plot) => point(view, plot)],
            ready: [(plot) => plot.over.addEventListener('click', () => select(view))],
        },
    }, view.data, place);
}

function axis(view) {
    return {
        stroke: view.colors.text, font: '12px system-ui, sans-serif',
        grid: {stroke: view.colors.grid, width: 1}, ticks: {stroke: view.colors.grid, size: 4},
    };
}

function xAxis(view) {
    const {points} = view.series;
    const days = points.map((p) => localDay(p.time).slice(5));
    return {
        ...axis(view), size: 46, space: 72, grid: {show: false},
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
        values: (_, splits) =>
            splits.map((i) => (points[i] ? `${points[i].short}\n${days[i]}` : '')),
    };
}

function yAxis(view) {
    const write = view.scale === 'ratio' ? times : (v) => tick(v, view.series.unit);
    return {
        ...axis(view), size: 68, space: 44,
        // Ticks closer together than three digits can tell would repeat a label: left blank.
        values: (_, splits) => splits.map(write).map((text, i, all) =>
            (i && all[i - 1] === text ? '' : text)),
    };
}

// --- drawing ---------------------------------------------------------------------------------

function drawPoints(view, plot) {
    const {points} = view.series;
    const {ctx, bbox} = plot;
    const ratio = devicePixelRatio || 1;
    const crowded = bbox.width / ratio / Math.max(1, points.length) < 12;
    ctx.save();
    ctx.beginPath();
    const edge = MARK_RADIUS * ratio;
    ctx.rect(bbox.left, bbox.top - edge, bbox.width, bbox.height + 2 * edge);
    ctx.clip();
    drawSelection(view, plot, ratio);
    let level = null; // the last known value: where a commit of the same code stands
    points.forEach((p, i) => {
        const standing = verdictOf(p.verdict, p.size);
        const plain = !p.verdict || ['equivalent', 'identical'].includes(p.verdict);
        // In a crowd only the points that say something keep their full size.
        const r = (crowded && plain ? 2 : MARK_RADIUS) * ratio;
        const value = view.data[1][i];
        const x = plot.valToPos(i, 'x', true);
        level = value ?? level;
        const shown = value ?? (p.verdict === 'identical' ? level : null);
        const y = shown === null ? bbox.top + bbox.height - 2 * r : plot.valToPos(shown, 'y', true);
        if (!crowded && value !== null) drawWhisker(view, plot, i, x, ratio);
        if (shown === null && plain) return;
        drawMark(ctx, standing.name, {
            x, y, r, color: view.colors.tones[standing.tone], ground: view.colors.ground,
        });
    });
    ctx.restore();
}

function drawSelection(view, plot, ratio) {
    if (view.selected < 0) return;
    const {ctx, bbox} = plot;
    const x = plot.valToPos(view.selected, 'x', true);
    ctx.strokeStyle = view.colors.ink;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
}

function drawWhisker(view, plot, i, x, ratio) {
    const {ctx} = plot;
    ctx.strokeStyle = view.colors.line;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, plot.valToPos(view.data[2][i], 'y', true));
    ctx.lineTo(x, plot.valToPos(view.data[3][i], 'y', true));
    ctx.stroke();
}

// --- pointing --------------------------------------------------------------------------------

function point(view, plot) {
    const {idx, left} = plot.cursor;
    if (idx === null || idx === undefined || left < 0 || !view.series.points[idx]) {
        hide(view);
        return;
    }
    if (view.current === idx) return;
    view.current = idx;
    const said = describe(view.series.points[idx], view.series, view.scale);
    replace(view.tip,
        el('p', null, el('span', {class: 'sha'}, said.commit), ' ', said.subject),
        el('p', null, el('b', null, said.value),
            said.interval ? el('span', {class: 'detail'}, `interval ${said.interval}`) : null),
        el('p', null, said.standing ? badge(said.standing) : null,
            el('span', {class: 'detail'}, localTime(said.time))));
    view.tip.hidden = false;
    // Beside the point, on the side that has room.
    const x = plot.valToPos(idx, 'x') + plot.over.offsetLeft;
    const room = view.root.clientWidth - view.tip.offsetWidth;
    const leftSide = x > view.root.clientWidth / 2;
    const at = leftSide ? x - view.tip.offsetWidth - 14 : x + 14;
    view.tip.style.left = `${Math.max(0, Math.min(room, at))}px`;
}

function hide(view) {
    view.current = null;
    view.tip.hidden = true;
}

function select(view) {
    const chosen = view.current === null ? null : view.series.points[view.current];
    if (chosen) view.onSelect(chosen);
}

function onKey(view, event) {
    const {plot, series} = view;
    if (!plot || event.target !== view.root) return;
    const last = series.points.length - 1;
    const from = view.current ?? (view.selected >= 0 ? view.selected : null);
    const to = {
        ArrowLeft: from === null ? last : from - 1, ArrowRight: from === null ? last : from + 1,
        Home: 0, End: last,
    }[event.key];
    if (to !== undefined) {
        const idx = Math.max(0, Math.min(last, to));
        plot.setCursor({left: plot.valToPos(idx, 'x'), top: 10});
        speak(view, idx);
    } else if (event.key === 'Enter') select(view);
    else if (event.key === 'Escape') plot.setCursor({left: -10, top: -10});
    else return;
    event.preventDefault();
}

function speak(view, idx) {
    const said = describe(view.series.points[idx], view.series, view.scale);
    view.root.querySelector('.spoken').textContent =
        `${said.commit} ${said.subject}: ${said.value}, ${said.standing?.word ?? 'no verdict'}`;
}
