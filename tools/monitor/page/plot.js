// A value's history as a small plot: a line, broken where records are missing.

import { drawn, element, when, withUnit } from "./dom.js";

const [WIDTH, HEIGHT, MARGIN] = [240, 48, 4];

const digits = (value) => String(Number(value.toPrecision(8)));

// The line of a history: a path for each part, a dot where a part is one value.
export function line(history) {
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  const span = history.to - history.from;
  const height = history.most - history.least;
  const x = (at) => MARGIN + (span ? (at - history.from) / span : 0.5) * (WIDTH - 2 * MARGIN);
  const y = (value) => {
    const share = Number.isFinite(height) && height
      ? (value - history.least) / height
      : height ? value / history.most / 2 + 0.5 : 0.5; // as far apart as numbers can be, or equal
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN);
  };
  for (const part of history.parts) {
    const points = part.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    if (points.length === 1) points.push(points[0]); // a line without length is a dot
    svg.append(drawn("path", { d: `M${points.join("L")}`, class: part.length > 1 ? "" : "dot" }));
  }
  return svg;
}

// A card: name, value, line, and in words what the line shows.
export function plot(name, value, about, history) {
  const card = element("figure");
  const title = element("figcaption", undefined, "title");
  const latest = element("span", value ? withUnit(value.value, value.unit) : "", "latest");
  if (about && about.unit) latest.title = about.unit;
  title.append(element("span", name, "name"), latest);
  card.append(title);
  if (!history) {
    card.append(element("p", about && about.plot ? "nothing in this time" : "not a number", "note"));
    return card;
  }
  const unit = value ? value.unit : "";
  const values = history.count === 1 ? "1 value" : `${history.count} values`;
  const range = `least ${digits(history.least)}, most ${digits(history.most)}, last ` +
    withUnit(digits(history.last), unit);
  const gaps = history.parts.length - 1;
  const broken = gaps ? `, ${gaps} ${gaps > 1 ? "gaps" : "gap"}` : "";
  const [from, to] = [when(history.from), when(history.to)];
  const span = `${values}${broken}: ${from}${to === from ? "" : ` – ${to}`}`;
  const svg = line(history);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${name}: ${range}; ${span}`);
  card.append(svg, element("p", range, "note"), element("p", span, "note"));
  return card;
}
