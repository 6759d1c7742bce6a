// Builds elements without ever parsing HTML: every string given here becomes a text node, so that
// a commit's subject or a compiler's message can hold anything and stays text.

/**
 * el('td', {class: 'number', title: '…'}, 'text', node, null, [more]) → element.
 * Names in `attributes` starting with "on" are event listeners; null and false leave out.
 */
export function el(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG, whose elements live in their own namespace. */
export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
        else node.setAttribute(name, value === true ? '' : String(value));
    }
    append(node, children);
    return node;
}

/** Adds children: nodes, strings, numbers, nested arrays; null, undefined and false are skipped. */
export function append(node, children) {
    for (const child of [children].flat(Infinity)) {
        if (child !== null && child !== undefined && child !== false) node.append(child);
    }
}

export function replace(node, ...children) {
    node.replaceChildren();
    append(node, children);
}
