// Heap that statements retain on a 32-bit MicroPython, whose objects are as large as a board's.
//
//   node memory.mjs PORT_FOLDER LIB STATEMENT...     prints JSON: list of bytes
//
// LIB: a folder with packages, or a ROMFS image of them, which is put beside the heap as on a board.
// In this port a collection happens only when the outermost call returns to JavaScript, so what is
// in use after an empty statement is what the statement before has retained. Same figures each run.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [port, lib, ...statements] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(path.join(port, "micropython.mjs")));
const inFiles = fs.statSync(lib).isDirectory();
const romfs = inFiles ? undefined : new Uint8Array(fs.readFileSync(lib));
const micropython = await loadMicroPython({ heapsize: 256 * 1024, romfs });

function copy(from, to) {
  micropython.FS.mkdir(to);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    if (entry.isDirectory()) copy(source, `${to}/${entry.name}`);
    else micropython.FS.writeFile(`${to}/${entry.name}`, fs.readFileSync(source));
  }
}

function used() {
  for (let i = 0; i < 2; i++) {
    micropython.runPython("gc.collect()");
    micropython.runPython("pass");
  }
  micropython.runPython("_used = gc.mem_alloc()");
  return micropython.globals.get("_used");
}

if (inFiles) copy(lib, "/lib"); // else this port has mounted it
micropython.runPython("import sys, gc\nsys.path[:] = ['', '.frozen', '/rom', '/rom/lib', '/lib']");
used();
const retained = [];
for (const statement of statements) {
  const before = used();
  micropython.runPython(statement);
  retained.push(used() - before);
}
console.log(JSON.stringify(retained));
