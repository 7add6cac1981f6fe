// What the parts of the page are made of. Everything that a node says is set as text, never as
// markup.

const SVG = "http://www.w3.org/2000/svg";
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export function element(kind, text, cls) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}

export function drawn(kind, attributes, text) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Only what has changed: focus, selection and place stay where they are.
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

export function ago(seconds) {
  for (const [least, factor, unit] of [[172800, 86400, "d"], [7200, 3600, "h"], [120, 60, "min"]])
    if (seconds >= least) return `${Math.round(seconds / factor)} ${unit} ago`;
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

const two = (n) => String(n).padStart(2, "0");

// A moment in local time, with the year when it is not this one.
export function when(at, seconds) {
  const t = new Date(at * 1000);
  const year = t.getFullYear() === new Date().getFullYear() ? "" : ` ${t.getFullYear()}`;
  const clock = `${two(t.getHours())}:${two(t.getMinutes())}`;
  return `${t.getDate()} ${MONTHS[t.getMonth()]}${year} ${clock}${seconds ? `:${two(t.getSeconds())}` : ""}`;
}

export function zone() {
  const minutes = -new Date().getTimezoneOffset();
  const [sign, size] = [minutes < 0 ? "-" : "+", Math.abs(minutes)];
  return `UTC${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export function withUnit(value, unit) {
  return `${value} ${unit}`.trim();
}
