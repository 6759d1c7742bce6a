// The words, signs and tones of verdicts and of commits without one: one table for badge, chart
// and list, so that the same thing looks the same everywhere. A sign and a word always stand with
// the colour; none of them is told by colour alone.

const VERDICTS = {
    regressed: {sign: '▼', mark: '▼', word: 'regressed', tone: 'bad',
        means: 'worse than its base'},
    improved: {sign: '▲', mark: '▲', word: 'improved', tone: 'good',
        means: 'better than its base'},
    equivalent: {sign: '=', mark: '●', word: 'equivalent', tone: 'calm',
        means: 'any change is smaller than the margin'},
    inconclusive: {sign: '?', mark: '◇', word: 'inconclusive', tone: 'unsure',
        means: 'the run could not tell'},
    identical: {sign: '≡', mark: '○', word: 'identical', tone: 'calm',
        means: 'the same machine code as its base: nothing to time'},
    failed: {sign: '✕', mark: '✕', word: 'failed', tone: 'bad',
        means: 'did not build, run or measure'},
};

const STATES = {
    unwatched: {sign: '·', word: 'not watched', tone: 'faint',
        means: 'touches nothing that the suite watches'},
    queued: {sign: '…', word: 'queued', tone: 'wait', means: 'waits for a runner'},
    running: {sign: '▸', word: 'running', tone: 'wait', means: 'is being measured now'},
    measured: {sign: '·', word: 'measured', tone: 'faint',
        means: 'has no parent to be compared with'},
    unmeasured: {sign: '·', word: 'not measured', tone: 'faint', means: 'nobody asked for it yet'},
};

/**
 * → {name, sign, mark, word, tone, means}, `mark` being its shape on the chart. A verdict that this
 * page does not know keeps its name.
 */
export function verdictOf(verdict, size) {
    const known = VERDICTS[verdict];
    if (!known) {
        const name = String(verdict);
        return {name, sign: '·', mark: '●', word: name, tone: 'faint', means: ''};
    }
    if (size === 'small') {
        return {...known, name: verdict, word: `${known.word}, small`,
            tone: verdict === 'regressed' ? 'mild' : known.tone,
            means: `${known.means}, by less than the margin`};
    }
    return {...known, name: verdict};
}

/** The same for a log entry: its verdict where it was measured, else where it stands. */
export function standingOf(entry) {
    // A commit that waits to be measured again keeps its verdict in the store; what the reader
    // wants to know first is that a newer answer is on its way.
    const state = STATES[entry.state];
    if (state && (entry.state !== 'measured' || !entry.verdict)) {
        return {...state, name: entry.state};
    }
    return verdictOf(entry.verdict ?? entry.state, entry.size);
}

/** Whether a log entry has a result that can be opened. */
export const hasResult = (entry) => ['measured', 'identical', 'failed'].includes(entry.state);
