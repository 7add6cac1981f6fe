"use strict";
// Everything that a node says is set as text, never as markup.

const COLUMNS = ["battery", "temperature", "signal", "backlog"];
const [WIDTH, HEIGHT, MARGIN] = [600, 400, 44];
const METRES_PER_DEGREE = 111320;
const SVG = "http://www.w3.org/2000/svg";

let state = { nodes: [], events: [] };
let skew = 0; // of this clock against the server's, in seconds

function element(kind, text, cls) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}

function drawn(kind, attributes, text) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function ago(seconds) {
  for (const [least, factor, unit] of [[172800, 86400, "d"], [7200, 3600, "h"], [120, 60, "min"]])
    if (seconds >= least) return `${Math.round(seconds / factor)} ${unit} ago`;
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

function table() {
  const now = Date.now() / 1000 + skew;
  const rows = state.nodes.map((node) => {
    const row = element("tr", undefined, node.overdue ? "overdue" : "");
    row.append(element("td", node.id), element("td", node.heard ? ago(now - node.heard) : "never"));
    for (const name of COLUMNS) {
      const value = node.values[name];
      row.append(element("td", value ? `${value.value} ${value.unit}`.trim() : "–"));
    }
    row.append(element("td", String(node.missing), node.missing ? "bad" : ""));
    row.append(element("td", String(node.recoveries)));
    return row;
  });
  document.querySelector("#nodes tbody").replaceChildren(...rows);
}

function events() {
  const rows = [...state.events].reverse().map((event) => {
    const row = element("li");
    const time = new Date(event.at * 1000);
    row.append(element("time", time.toLocaleTimeString()), element("b", event.node));
    row.append(document.createTextNode(event.text));
    return row;
  });
  document.querySelector("#events").replaceChildren(...rows);
}

// A plain projection around the middle: a degree of longitude is as long as it is there.
function map() {
  const svg = document.querySelector("#map");
  const placed = state.nodes.filter((node) => node.track.length);
  if (!placed.length) return svg.replaceChildren();
  const points = placed.flatMap((node) => node.track);
  const [south, north] = extent(points.map((p) => p[0]));
  const [west, east] = extent(points.map((p) => p[1]));
  const shrink = Math.max(0.05, Math.cos(((south + north) / 2) * Math.PI / 180));
  const metres = Math.max((north - south), (east - west) * shrink, 0.002) * METRES_PER_DEGREE;
  const scale = (Math.min(WIDTH, HEIGHT) - 2 * MARGIN) / metres; // pixels per metre
  const x = (lon) => WIDTH / 2 + (lon - (west + east) / 2) * shrink * METRES_PER_DEGREE * scale;
  const y = (lat) => HEIGHT / 2 - (lat - (south + north) / 2) * METRES_PER_DEGREE * scale;
  const parts = [...graticule(x, y, south, north, west, east, metres), ...bar(scale)];
  for (const node of placed) {
    const line = node.track.map(([lat, lon]) => `${x(lon)},${y(lat)}`).join(" ");
    const [lat, lon] = node.track[node.track.length - 1];
    parts.push(drawn("polyline", { points: line }));
    parts.push(drawn("circle", { cx: x(lon), cy: y(lat), r: 5 }));
    parts.push(drawn("text", { x: x(lon) + 8, y: y(lat) + 4 }, node.id));
  }
  svg.replaceChildren(...parts);
}

function extent(values) {
  return [Math.min(...values), Math.max(...values)];
}

function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= value);
}

function graticule(x, y, south, north, west, east, metres) {
  const step = round(metres / METRES_PER_DEGREE / 2);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const found = [];
  for (let lat = Math.floor((south - step) / step) * step; lat <= north + step; lat += step) {
    if (y(lat) < 12 || y(lat) > HEIGHT - 4) continue;
    found.push(drawn("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(lat), y2: y(lat) }));
    found.push(drawn("text", { class: "degrees", x: 4, y: y(lat) - 3 }, `${lat.toFixed(digits)}°`));
  }
  for (let lon = Math.floor((west - step) / step) * step; lon <= east + step; lon += step) {
    if (x(lon) < 4 || x(lon) > WIDTH - 30) continue;
    found.push(drawn("line", { class: "grid", x1: x(lon), x2: x(lon), y1: 0, y2: HEIGHT }));
    found.push(drawn("text", { class: "degrees", x: x(lon) + 3, y: 12 }, `${lon.toFixed(digits)}°`));
  }
  return found;
}

function bar(scale) {
  const metres = round(150 / scale);
  const [left, base] = [16, HEIGHT - 16];
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  return [
    drawn("line", { class: "scale", x1: left, x2: left + metres * scale, y1: base, y2: base }),
    drawn("text", { x: left, y: base - 6 }, text),
  ];
}

function show() {
  document.querySelector("#state").textContent = `${state.broker}: ${state.state}`;
  table();
  map();
  events();
}

const news = new EventSource("news");
news.onmessage = (message) => {
  state = JSON.parse(message.data);
  skew = state.now - Date.now() / 1000;
  show();
};
news.onerror = () => {
  document.querySelector("#state").textContent = "the monitor does not answer, trying again";
};
setInterval(table, 1000);
