// Days of a node that never restarts, on one heap of a 32-bit MicroPython: does it fall to pieces?
//
//   node days.mjs PORT_FOLDER LIB STAND_INS NODE HEAP WAKES_A_DAY DAYS
//
// The arguments are those of node.mjs. HEAP: bytes, beside the stand-ins. Every fourth wake reports
// what the others have sampled. Prints JSON: for each day the least of what is the `largest`
// free block behind a wake, and of what is `free` at all then; and the heap's `total`, in bytes.
import { board, copy, move, wakes } from "./board.mjs";

const [port, lib, standIns, node, heap, wakesADay, days] = process.argv.slice(2);

async function start(heapsize, before) {
  const printed = [];
  const stdout = (text) => printed.push(text);
  const { python, begin } = await board(port, lib, standIns, { heapsize, stdout });
  if (before) move(before.FS, python.FS, "/flash");
  else copy(python.FS, node, "/flash");
  begin();
  return { python, printed };
}

function run(code) {
  for (const each of [code, "gc.collect()", "pass"]) python.runPython(each);
}

function wake(names) {
  python.runPython(`wake.names = ${JSON.stringify(names)}`);
  wakes(run, (name) => python.globals.get(name));
  run("wake.sleep(900)");
  run("machine.status = 0"); // it has gone into PSM, as was granted
  if (python.globals.get("_done") === (names.includes("report") ? "report" : "")) return;
  console.error(printed.slice(-40).join("\n"));
  process.exit(1);
}

// From power-up, which takes more.
let { python, printed } = await start(1024 * 1024);
run("_a = gc.mem_alloc()");
const used = python.globals.get("_a");
wake(["sample", "report"]);
python.runPython("_rtc = machine.rtc.hex(); import time; _now = time.time()");
const [rtc, now] = [python.globals.get("_rtc"), python.globals.get("_now")];
({ python, printed } = await start(Number(heap) + used, python));
python.runPython(`machine.rtc = bytes.fromhex("${rtc}"); import time; time.set_rtc(${now} * 1000)`);

const found = [];
for (let day = 0; day < Number(days); day++) {
  let least;
  for (let i = 1; i <= Number(wakesADay); i++) {
    wake(i % 4 ? ["sample"] : ["sample", "report"]);
    printed.length = 0;
    run("micropython.mem_info()");
    const told = /total: (\d+).*free: (\d+)[^]*max free sz: (\d+)/.exec(printed.join("\n"));
    const [total, free, blocks] = told.slice(1).map(Number);
    const largest = blocks * 16;
    least = least ?? { largest, free, total };
    least = { largest: Math.min(largest, least.largest), free: Math.min(free, least.free), total };
  }
  found.push(least);
}
console.log(JSON.stringify(found));
