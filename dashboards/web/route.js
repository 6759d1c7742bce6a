// What is selected lives in the address behind the '#', so that a link shows the same thing to
// someone else and the browser's back button works. Nothing here touches the page.

const KEYS = ['repo', 'base', 'head', 'workload', 'metric', 'scale'];

/** "#repo=hakmem&head=1a2b…" → {repo, base, head, workload, metric, scale}, null where absent. */
export function parse(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ''));
    const route = Object.fromEntries(KEYS.map((key) => [key, query.get(key) || null]));
    // Only a comparison of two has a base; a lone one selects nothing.
    if (!route.head) route.base = null;
    if (route.scale !== 'ratio') route.scale = null;
    return route;
}

/** The route as a link: "#" and its keys in a fixed order, the absent ones left out. */
export function link(route) {
    const query = new URLSearchParams();
    for (const key of KEYS) if (route[key]) query.set(key, route[key]);
    return `#${query}`;
}
