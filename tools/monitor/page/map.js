// A plain map: no tiles, nothing from elsewhere. A degree of longitude is as long as it is in the
// middle of the map; near a pole the map is seen from above it.

import { drawn } from "./dom.js";
import { placed } from "./labels.js";

const METRES_PER_DEGREE = 111320;
const LEAST_DEGREES = 0.002;
const POLAR = 80; // degrees of latitude, from which all positions are near one pole
const SCALE = 40; // height of the scale's place, at the bottom
const LONGEST = 24; // characters of a label
const RADIANS = Math.PI / 180;

export function map(svg, nodes) {
  const width = Math.max(240, Math.min(600, Math.round(svg.clientWidth || 600)));
  const size = { width, height: width < 600 ? Math.round(width * 0.8) : 400, margin: 44 };
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const shown = nodes.filter((node) => node.track.length);
  if (!shown.length) {
    svg.replaceChildren();
    return 0;
  }
  const view = projection(shown.flatMap((node) => node.track), size);
  const marks = shown.map((node) => {
    const [x, y] = view.at(node.track[node.track.length - 1]);
    return { x, y, text: node.id.length > LONGEST ? `${node.id.slice(0, LONGEST - 1)}…` : node.id };
  });
  const scale = bar(view.scale, size);
  const labels = placed(marks, size, [...view.grid, ...scale].map(box).filter(Boolean));
  const lines = shown.map((node) => drawn("polyline", {
    points: node.track.map((place) => view.at(place).map((n) => n.toFixed(1)).join(",")).join(" "),
  }));
  const leaders = labels.filter((label) => label && label.leader).map(({ leader: [a, b, c, d] }) =>
    drawn("line", { class: "leader", x1: a, y1: b, x2: c, y2: d }));
  const points = shown.flatMap((node, n) => {
    const { x, y, text } = marks[n];
    const circle = drawn("circle", { cx: x, cy: y, r: 5 });
    const [lat, lon] = node.track[node.track.length - 1];
    circle.append(drawn("title", {}, `${node.id}: ${lat}°, ${lon}°`));
    const label = labels[n];
    return label ? [circle, drawn("text", { class: "label", x: label.x, y: label.y }, text)] : [circle];
  });
  svg.replaceChildren(...view.grid, ...scale, ...lines, ...leaders, ...points);
  return labels.filter((label) => !label).length;
}

// Where a text or the scale stands, for the names to keep off.
function box(part) {
  const [x, y] = ["x", "y"].map((name) => Number(part.getAttribute(name)));
  if (part.tagName === "text") return [x, y - 11, x + 7 * part.textContent.length, y + 3];
  if (part.getAttribute("class") !== "scale") return null;
  const [x1, x2, y1] = ["x1", "x2", "y1"].map((name) => Number(part.getAttribute(name)));
  return [x1, y1 - 2, x2, y1 + 2];
}

function projection(places, size) {
  const [south, north] = extent(places.map(([lat]) => lat));
  if (south > POLAR || north < -POLAR) return polar(places, size, south > 0 ? 1 : -1);
  const cut = widest(places.map(([, lon]) => lon));
  const turned = (lon) => (lon < cut ? lon + 360 : lon);
  const [west, east] = extent(places.map(([, lon]) => turned(lon)));
  const shrink = Math.cos(((south + north) / 2) * RADIANS);
  const degrees = Math.max(north - south, (east - west) * shrink, LEAST_DEGREES);
  const scale = (Math.min(size.width, size.height) - 2 * size.margin) / degrees;
  const x = (lon) => size.width / 2 + (lon - (west + east) / 2) * shrink * scale;
  const y = (lat) => size.height / 2 - (lat - (south + north) / 2) * scale;
  return {
    at: ([lat, lon]) => [x(turned(lon)), y(lat)],
    scale: scale / METRES_PER_DEGREE,
    grid: graticule(x, y, { south, north, west, east, degrees, shrink, size }),
  };
}

// The longitude from which on all are counted, so that the widest empty part is outside: positions
// on both sides of 180 degrees are beside each other.
function widest(longitudes) {
  const sorted = [...new Set(longitudes)].sort((a, b) => a - b);
  let [cut, most] = [sorted[0], 360 - (sorted[sorted.length - 1] - sorted[0])];
  for (let n = 1; n < sorted.length; n++)
    if (sorted[n] - sorted[n - 1] > most) [cut, most] = [sorted[n], sorted[n] - sorted[n - 1]];
  return cut;
}

function polar(places, size, sign) {
  const flat = ([lat, lon]) => {
    const away = 90 - sign * lat;
    return [away * Math.sin(lon * RADIANS), -sign * away * Math.cos(lon * RADIANS)];
  };
  const flats = places.map(flat);
  const [west, east] = extent(flats.map(([x]) => x));
  const [south, north] = extent(flats.map(([, y]) => y));
  const degrees = Math.max(north - south, east - west, LEAST_DEGREES);
  const scale = (Math.min(size.width, size.height) - 2 * size.margin) / degrees;
  const at = (place) => {
    const [x, y] = flat(place);
    return [
      size.width / 2 + (x - (west + east) / 2) * scale,
      size.height / 2 - (y - (south + north) / 2) * scale,
    ];
  };
  return { at, scale: scale / METRES_PER_DEGREE, grid: circles(at, scale, degrees, sign, size) };
}

function extent(values) {
  return values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity]);
}

function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= value);
}

function places(step) {
  return Math.max(0, -Math.floor(Math.log10(step)));
}

function graticule(x, y, { south, north, west, east, degrees, shrink, size }) {
  const found = [];
  const step = round(degrees / 2);
  for (let lat = Math.floor((south - step) / step) * step; lat <= north + step; lat += step) {
    if (Math.abs(lat) > 90 || y(lat) < 12 || y(lat) > size.height - 4) continue;
    found.push(drawn("line", { class: "grid", x1: 0, x2: size.width, y1: y(lat), y2: y(lat) }));
    if (y(lat) > size.height - SCALE) continue;
    const text = `${lat.toFixed(places(step))}°`;
    found.push(drawn("text", { class: "degrees", x: 4, y: y(lat) - 3 }, text));
  }
  const wide = Math.min(180, round(degrees / shrink / 2));
  for (let lon = Math.floor((west - wide) / wide) * wide; lon <= east + wide; lon += wide) {
    if (x(lon) < 4 || x(lon) > size.width - 30) continue;
    found.push(drawn("line", { class: "grid", x1: x(lon), x2: x(lon), y1: 0, y2: size.height }));
    const text = `${((((lon + 180) % 360) + 360) % 360 - 180).toFixed(places(wide))}°`;
    found.push(drawn("text", { class: "degrees", x: x(lon) + 3, y: 12 }, text));
  }
  return found;
}

function circles(at, scale, degrees, sign, size) {
  const [x, y] = at([sign * 90, 0]);
  const step = round(degrees / 2);
  const found = [];
  for (let n = 1; n <= 40 && n * step < 90; n++) {
    const r = n * step * scale;
    found.push(drawn("circle", { class: "grid", cx: x, cy: y, r }));
    if (y - r < 12 || y - r > size.height || x < 0 || x > size.width - 40) continue;
    const text = `${(sign * (90 - n * step)).toFixed(places(step))}°`;
    found.push(drawn("text", { class: "degrees", x: x + 3, y: y - r - 3 }, text));
  }
  return found;
}

function bar(scale, size) {
  const metres = round(size.width / 4 / scale);
  const [left, base] = [16, size.height - 16];
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  return [
    drawn("line", { class: "scale", x1: left, x2: left + metres * scale, y1: base, y2: base }),
    drawn("text", { x: left, y: base - 6 }, text),
  ];
}
