// The signs that stand on the chart's points, one shape a verdict, drawn on its canvas. The same
// shapes are in the legend below it, there as text.

const SHAPES = {
    regressed: (c, x, y, r) => polygon(c, [[x - r, y - r * 0.8], [x + r, y - r * 0.8], [x, y + r]]),
    improved: (c, x, y, r) => polygon(c, [[x - r, y + r * 0.8], [x + r, y + r * 0.8], [x, y - r]]),
    inconclusive: (c, x, y, r) => polygon(c, [[x, y - r], [x + r, y], [x, y + r], [x - r, y]]),
    equivalent: (c, x, y, r) => { c.arc(x, y, r * 0.7, 0, 2 * Math.PI); },
    identical: (c, x, y, r) => { c.arc(x, y, r * 0.6, 0, 2 * Math.PI); },
    failed: (c, x, y, r) => {
        c.moveTo(x - r, y - r);
        c.lineTo(x + r, y + r);
        c.moveTo(x - r, y + r);
        c.lineTo(x + r, y - r);
    },
};

function polygon(context, corners) {
    corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
}

/** Draws the sign of `verdict` at canvas position x, y with radius r, all in canvas pixels. */
export function drawMark(context, verdict, {x, y, r, color, ground}) {
    const shape = SHAPES[verdict] ?? SHAPES.equivalent;
    context.beginPath();
    shape(context, x, y, r);
    context.lineWidth = r / 3;
    context.strokeStyle = color;
    // Hollow: nothing was timed, or nothing is known.
    context.fillStyle = ['identical', 'inconclusive'].includes(verdict) ? ground : color;
    if (verdict !== 'failed') context.fill();
    context.stroke();
}
