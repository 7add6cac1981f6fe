// Where names stand on a map, so that none covers another one, or another one's point.

const [HIGH, GAP, DOT] = [15, 8, 6]; // of a line of text; beside a point; radius of a point
const MOST = 200; // names: more would be no map any more
const FAR = 14; // names away from their point, a line leads there

const pen = document.createElement("canvas").getContext("2d");

function wide(text) {
  pen.font = "12px system-ui, sans-serif";
  return pen.measureText(text).width * 1.08 + 2;
}

// marks -- points with x, y and text; others -- boxes that are taken. Returns for each mark where its name begins (x, y of the base
// line, and `leader`, a line to it where it is not beside its point), null where there is no room.
export function placed(marks, size, others) {
  const taken = marks.map(({ x, y }) => [x - DOT, y - DOT, x + DOT, y + DOT]).concat(others);
  const order = marks.map((_, n) => n).sort((a, b) => marks[a].y - marks[b].y || a - b);
  const found = marks.map(() => null);
  for (const n of order.slice(0, MOST)) {
    const { x, y, text } = marks[n];
    const width = wide(text);
    const place = candidates(x, y, width).find(([left, top]) => {
      const box = [left, top, left + width, top + HIGH];
      const isInside = left >= 1 && top >= 1 && box[2] <= size.width - 1 && box[3] <= size.height - 1;
      return isInside && !taken.some((other) => overlap(box, other));
    });
    if (!place) continue;
    const [left, top, isFar] = place;
    taken.push([left, top, left + width, top + HIGH]);
    const end = left > x ? left - 1 : left + width < x ? left + width + 1 : left + width / 2;
    const isAcross = end > left && end < left + width;
    const side = isAcross ? (top > y ? top : top + HIGH) : top + HIGH / 2;
    found[n] = { x: left, y: top + HIGH - 4, leader: isFar ? [x, y, end, side] : null };
  }
  return found;
}

function overlap([a, b, c, d], [e, f, g, h]) {
  return a < g && e < c && b < h && f < d;
}

// Corners of a name, the nearest first: beside, below and above its point, then farther away.
function candidates(x, y, width) {
  const near = [
    [x + GAP, y - HIGH / 2], [x - GAP - width, y - HIGH / 2],
    [x - width / 2, y + GAP], [x - width / 2, y - GAP - HIGH],
  ];
  const far = [];
  for (let row = 0; row <= 2 * FAR; row++)
    for (let column = 0; column < 6; column++)
      for (const down of row ? [row, -row] : [0])
        for (const right of [1, -1]) {
          const away = 2 * GAP + column * (width + GAP);
          const left = right > 0 ? x + away : x - away - width;
          far.push([left, y - HIGH / 2 + down * HIGH, true]);
        }
  const distance = ([left, top]) =>
    Math.hypot(left + width / 2 - x, 3 * (top + HIGH / 2 - y));
  return near.concat(far.sort((a, b) => distance(a) - distance(b)));
}
