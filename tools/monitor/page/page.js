"use strict";

import { ago, element, say, when, withUnit, zone } from "./dom.js";
import { map } from "./map.js";
import { plot } from "./plot.js";

// Names that have a column of their own; all others are in one together.
const OWN = ["battery", "temperature", "signal", "backlog"];
const HEADS = ["node", "last report", ...OWN, "other values", "missing", "recovery"];
const SPANS = [[1, "its last day"], [7, "its last week"], [30, "its last month"], [36500, "all time"]];
const MANY = 12; // values in one box that get a bar to scroll with

let state = { nodes: [], events: [] };
let skew = 0; // of this clock against the server's, in seconds
const rows = new Map(); // of the table, by node
const open = new Map(); // nodes whose history is shown
let shownMap, shownEvents; // what is drawn now
let shownPasts = 0;

const find = (selector) => document.querySelector(selector);

function row(node) {
  const made = element("tr");
  made.setAttribute("role", "row");
  const cells = HEADS.map((head) => {
    const cell = element("td");
    cell.setAttribute("role", "cell");
    cell.dataset.label = head;
    return cell;
  });
  const button = element("button", node.id);
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => toggle(node.key, made, button));
  cells[0].append(button);
  const others = element("ul", undefined, "values");
  others.setAttribute("aria-label", `other values of ${node.id}`);
  cells[OWN.length + 2].append(others);
  made.append(...cells);
  return { row: made, cells, others };
}

function fill({ row, cells, others }, node, now) {
  row.className = node.overdue ? "overdue" : "";
  const heard = node.heard ? ago(now - node.heard) : "never";
  say(cells[1], node.overdue ? `${heard}, overdue` : heard);
  OWN.forEach((name, n) => {
    const value = node.values[name];
    say(cells[n + 2], value ? withUnit(value.value, value.unit) : "–");
    cells[n + 2].title = value ? node.about[name].unit : "";
  });
  const rest = Object.keys(node.values).filter((name) => !OWN.includes(name));
  const told = JSON.stringify([rest.map((name) => node.values[name]), rest, node.unshown]);
  if (others.dataset.told !== told) {
    others.dataset.told = told;
    const items = rest.map((name) => {
      const item = element("li");
      item.title = node.about[name].unit;
      item.append(element("span", name, "name"),
        element("span", withUnit(node.values[name].value, node.values[name].unit)));
      return item;
    });
    if (node.unshown) items.push(element("li", `and ${node.unshown} more, too many to show`));
    others.replaceChildren(...items);
    if (rest.length > MANY) others.tabIndex = 0;
  }
  const unheard = node.unheard ? `, and ${node.unheard} while nobody listened` : "";
  const [, , missing, recovery] = cells.slice(OWN.length + 1);
  say(missing, `${node.missing}${unheard}`);
  missing.className = node.missing ? "bad" : "";
  say(recovery, String(node.recoveries));
}

function table() {
  const now = Date.now() / 1000 + skew;
  const body = find("#nodes tbody");
  let after = null;
  for (const node of state.nodes) {
    let known = rows.get(node.key);
    if (!known) {
      known = row(node);
      rows.set(node.key, known);
      if (after) after.after(known.row);
      else body.prepend(known.row);
    }
    fill(known, node, now);
    after = open.get(node.key)?.row ?? known.row;
  }
  const present = new Set(state.nodes.map((node) => node.key));
  for (const [key, known] of rows) {
    if (present.has(key)) continue; // a monitor that was started again may not know it yet
    known.row.remove();
    open.get(key)?.row.remove();
    rows.delete(key);
    open.delete(key);
  }
}

// What a node's values were, in a row of its own below the node's.
function toggle(key, below, button) {
  const shown = open.get(key);
  button.setAttribute("aria-expanded", String(!shown));
  if (shown) {
    shown.row.remove();
    open.delete(key);
    return;
  }
  const made = element("tr", undefined, "past");
  made.setAttribute("role", "row");
  made.id = `past-${++shownPasts}`;
  button.setAttribute("aria-controls", made.id);
  const cell = element("td");
  cell.setAttribute("role", "cell");
  cell.colSpan = HEADS.length;
  const choice = element("select");
  for (const [days, name] of SPANS) choice.append(new Option(name, days, days === 7, days === 7));
  const label = element("label", "The values of ");
  label.append(choice);
  const plots = element("div", "looking", "plots");
  plots.setAttribute("aria-live", "off");
  cell.append(label, plots);
  made.append(cell);
  below.after(made);
  const entry = { row: made, plots, choice, heard: null };
  choice.addEventListener("change", () => past(key, entry));
  open.set(key, entry);
  past(key, entry);
}

async function past(key, entry) {
  const node = state.nodes.find((each) => each.key === key);
  entry.heard = node.heard;
  const asked = new URLSearchParams({ node: key, days: entry.choice.value });
  let found;
  try {
    const answer = await fetch(`history?${asked}`);
    if (!answer.ok) throw new Error(answer.statusText);
    found = await answer.json();
  } catch {
    entry.plots.textContent = "The monitor does not answer.";
    return;
  }
  const names = [...new Set([...Object.keys(node.values), ...Object.keys(found)])];
  const cards = names.map((name) => plot(name, node.values[name], node.about[name], found[name]));
  entry.plots.replaceChildren(...(cards.length ? cards : ["It has told no values yet."]));
}

function events() {
  const told = JSON.stringify(state.events);
  if (told === shownEvents) return;
  shownEvents = told;
  const items = [...state.events].reverse().map((event) => {
    const item = element("li");
    const time = element("time", when(event.at, true));
    time.dateTime = new Date(event.at * 1000).toISOString();
    item.append(time, element("b", event.node), document.createTextNode(event.text));
    if (event.words) item.append(element("span", ` – ${event.words}`, "note"));
    return item;
  });
  find("#events").replaceChildren(...items);
  say(find("#zone"), items.length ? `Times are local, ${zone()}.` : "Nothing yet.");
}

function positions() {
  const svg = find("#map");
  const told = JSON.stringify([svg.clientWidth, state.nodes.map((node) => [node.id, node.track])]);
  if (told === shownMap) return;
  shownMap = told;
  const unlabelled = map(svg, state.nodes);
  say(find("#unlabelled"), unlabelled
    ? `${unlabelled} names have no room; they stand at the points (hold the pointer there).` : "");
}

function show() {
  say(find("#state"), `${state.broker}: ${state.state}`);
  say(find("#store"), state.store || "");
  table();
  positions();
  events();
  for (const [key, entry] of open) {
    const node = state.nodes.find((each) => each.key === key);
    if (node && node.heard !== entry.heard) past(key, entry);
  }
}

for (const head of HEADS) {
  const cell = element("th", head);
  cell.scope = "col";
  cell.setAttribute("role", "columnheader");
  find("#nodes thead tr").append(cell);
}
const news = new EventSource("news");
news.onmessage = (message) => {
  state = JSON.parse(message.data);
  skew = state.now - Date.now() / 1000;
  show();
};
news.onerror = () => say(find("#state"), "the monitor does not answer, trying again");
setInterval(table, 1000);
addEventListener("resize", positions);
