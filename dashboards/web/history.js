// The history of one series: choices of workload, metric and scale above the chart, the meaning
// of its signs below it. Choices are kept in the address; this module only draws what is chosen.

import {createChart} from './chart.js';
import {el, replace} from './dom.js';
import {isRate, plural} from './format.js';
import {hasRatio, metricTitle, yardstick} from './series.js';
import {verdictOf} from './verdict.js';

/**
 * go(change) changes the route. → {tools(choices, chosen, scale), draw(series, scale, sha)};
 * `chosen` is the series that is shown or, failing one, the workload and metric asked for.
 */
export function createHistory({tools, panel, go}) {
    const select = (point) => go({base: null, head: point.sha}, {jump: true});
    const chart = createChart(select);
    let offered = ''; // the choices on the page, as text
    const legend = el('p', {class: 'legend'});

    return {
        tools({workloads, metrics}, chosen, scale) {
            const ratio = hasRatio(chosen.points ?? []);
            const text = JSON.stringify(
                [workloads, metrics, chosen.workload, chosen.metric, scale, ratio]);
            if (text === offered) return; // an open list stays open
            offered = text;
            const held = tools.contains(document.activeElement) ? document.activeElement.name : '';
            replace(tools,
                chooser('Workload', workloads, chosen.workload, (name) => name,
                    (workload) => go({workload})),
                chooser('Metric', metrics, chosen.metric, metricTitle, (metric) => go({metric})),
                ratio ? chooser('Show', ['value', 'ratio'], scale,
                    (name) => (name === 'ratio' ? `ratio to ${yardstick(chosen.points)}` : 'value'),
                    (name) => go({scale: name === 'ratio' ? name : null})) : null);
            if (held) tools.querySelector(`[name="${held}"]`)?.focus();
        },
        draw(series, scale, selectedSha) {
            if (!series.points.length) {
                panel.empty(el('p', null, series.metric
                    ? 'No commit has a value for this workload and metric yet.'
                    : 'The first measurement begins the history.'));
                return;
            }
            const shown = scale === 'ratio' && hasRatio(series.points) ? 'ratio' : 'value';
            legendOf(legend, series, shown);
            if (!panel.root.contains(chart.root)) panel.show(chart.root, legend);
            chart.draw(series, shown, selectedSha);
        },
    };
}

function chooser(label, names, chosen, title, choose) {
    if (names.length === 0) return null;
    const select = el('select',
        {name: label.toLowerCase(), onchange: (event) => choose(event.target.value)},
        names.map((name) => el('option', {value: name, selected: name === chosen}, title(name))));
    return el('label', null, label, ' ', select);
}

function legendOf(root, series, scale) {
    const seen = [...new Set(series.points.map((p) => p.verdict).filter(Boolean))];
    const better = {higher: 'higher is better', lower: 'lower is better'}[series.better];
    const measure = scale === 'ratio' ? `as a multiple of the ${yardstick(series.points)} measured beside it`
        : isRate(series.unit) ? `in ${series.unit}` : null;
    replace(root,
        el('span', null, [plural(series.points.length, 'commit'), measure, better]
            .filter(Boolean).join(', ')),
        seen.map((verdict) => {
            const {mark, word, tone, means} = verdictOf(verdict);
            return el('span', {class: `tone-${tone}`, title: means},
                el('span', {'aria-hidden': 'true', class: 'sign'}, mark), ` ${word}`);
        }),
        el('span', {class: 'hint'}, 'click a commit for its comparison, drag to zoom'));
}
