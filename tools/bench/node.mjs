// A wake of the whole node on a 32-bit MicroPython: what it keeps of the heap, and the smallest heap
// in which it succeeds.
//
//   node node.mjs PORT_FOLDER LIB STAND_INS NODE EXPECTED
//
// LIB: a folder with packages, or a ROMFS image of them. NODE: a folder with the node's config.json,
// and whatever sensors of its own it has. The wake is a timed one, after a first from power-up.
// Prints JSON: `retained`, bytes that the node keeps, at most, beside the stand-ins of the board;
// `smallest`, of a heap, to 1 KiB, likewise; `commands` to the module; `phases`, one for each change
// of what is loaded: what `came`, what was `gone`, and what the node kept at most until the next.
// EXPECTED: what `smallest` was before, in bytes, tried first as that takes the least time; 0: nothing
// is known of it; "none": it is not looked for.
//
// This port collects only when nothing runs, and lets a heap grow that is too small. So a wake is
// taken in steps, each code file and each turn of the tasks is one, and a heap that has grown was
// too small. A board collects at any time and can do with less: what one turn leaves is counted here
// as if it were needed, some 10 KiB.
import { board, copy, move, wakes } from "./board.mjs";

const [port, lib, standIns, node, expected] = process.argv.slice(2);
const KIB = 1024;
const LARGE = 1024 * KIB;

async function wake(heapsize, before) {
  const printed = [];
  const stdout = (text) => printed.push(text);
  const { python, begin } = await board(port, lib, standIns, { heapsize, stdout });
  const get = (name) => python.globals.get(name);
  const found = { ok: false, retained: 0, used: 0, phases: [], FS: python.FS };
  let loaded = [];
  let total, used;
  function collect() {
    for (let i = 0; i < 2; i++) {
      python.runPython("gc.collect()");
      python.runPython("pass");
    }
    python.runPython("_a = gc.mem_alloc(); _t = _a + gc.mem_free()");
    return get("_a");
  }
  function run(code) {
    python.runPython(code);
    const now = collect();
    if (total !== undefined && Math.abs(get("_t") - total) > 256) throw new Error("the heap has grown");
    found.retained = Math.max(found.retained, now - used);
    if (heapsize === LARGE) phase(now - used);
  }
  function phase(kept) {
    python.runPython("_m = ' '.join(sorted(sys.modules))");
    const modules = get("_m").split(" ");
    python.runPython("_m = None");
    const came = modules.filter((name) => !loaded.includes(name));
    const gone = loaded.filter((name) => !modules.includes(name));
    if (came.length + gone.length) found.phases.push({ came, gone, kept: 0 });
    loaded = modules;
    const last = found.phases[found.phases.length - 1];
    last.kept = Math.max(last.kept, kept);
  }
  try {
    if (before) move(before.FS, python.FS, "/flash");
    else copy(python.FS, node, "/flash");
    begin();
    if (before) {
      python.runPython(`machine.rtc = bytes.fromhex('${before.rtc}')`);
      python.runPython(`import time; time.set_rtc(${before.now + 900} * 1000)`);
    }
    found.used = used = collect();
    total = get("_t");
    wakes(run, get);
    found.done = get("_done");
    found.ok = found.done.includes("report");
    python.runPython("_rtc = machine.rtc.hex()");
    python.runPython("import time; _now = time.time()");
    found.rtc = get("_rtc");
    found.now = get("_now");
    python.runPython("_c = machine.heard");
    found.commands = get("_c");
  } catch (error) {
    found.error = String(error.message ?? error).trim().split("\n").pop();
  }
  found.printed = printed;
  return found;
}

function checked(found) {
  if (found.ok) return found;
  console.error([...found.printed, found.error].join("\n"));
  process.exit(1);
}

const first = checked(await wake(LARGE));
const whole = checked(await wake(LARGE, first));
const { retained, commands, phases } = whole;
console.log(JSON.stringify({ retained, smallest: await smallest(), commands, phases }));

async function smallest() {
  if (expected === "none") return null;
  let low = Math.floor(retained / KIB); // too small
  let high = Infinity; // enough
  async function look(kib) {
    if (kib <= low || kib >= high) return;
    if ((await wake(kib * KIB + whole.used, first)).ok) high = kib;
    else low = kib;
  }
  await look(Number(expected) / KIB);
  await look(Number(expected) / KIB - 1);
  while (high === Infinity) await look(low + 32);
  while (high - low > 1) await look((low + high) >> 1);
  return high * KIB;
}
