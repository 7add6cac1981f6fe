// A 32-bit MicroPython with the code of a node, and stand-ins for the hardware of a board.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const LOADED = [
  "boards", "boards.base", "boards.esp32", "clock", "energy", "scheduler", "wiring",
  "jobs", "log", "state", "telemetry", "outbox", "watch", "node", "app",
];

// All files of a folder of the host, to one of an interpreter.
export function copy(to, from, target) {
  if (!to.analyzePath(target).exists) to.mkdir(target);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    if (entry.isDirectory()) copy(to, source, `${target}/${entry.name}`);
    else to.writeFile(`${target}/${entry.name}`, fs.readFileSync(source));
  }
}

// All files of a folder, from one interpreter to another.
export function move(from, to, folder) {
  for (const name of from.readdir(folder)) {
    const full = `${folder}/${name}`;
    if (name === "." || name === "..") continue;
    if (from.isDir(from.stat(full).mode)) {
      to.mkdir(full);
      move(from, to, full);
    } else to.writeFile(full, from.readFile(full));
  }
}

// lib: a folder with packages, or a ROMFS image of them. options: of loadMicroPython(). Returns the
// interpreter, whose /flash is empty, and a function to call once it is not.
export async function board(port, lib, standIns, options) {
  const { loadMicroPython } = await import(pathToFileURL(path.join(port, "micropython.mjs")));
  const inFiles = fs.statSync(lib).isDirectory();
  const romfs = inFiles ? undefined : new Uint8Array(fs.readFileSync(lib));
  const python = await loadMicroPython({ romfs, ...options });
  if (inFiles) copy(python.FS, lib, "/lib");
  copy(python.FS, standIns, "/stand_ins");
  python.FS.mkdir("/flash");
  function begin() {
    python.runPython(
      "import sys, gc, os\nos.chdir('/flash')\n" +
        "sys.path[:] = ['/stand_ins', '', '.frozen', '/rom', '/rom/lib', '/lib']",
    );
    python.runPython("import errno; sys.modules['errno'] = errno\nimport machine, esp32, wake\nimport binascii, collections, errno, gc, hashlib, io, json, micropython, os, random, struct, time");
  }
  return { python, begin };
}

// A whole wake. run: of a statement, as a step between which everything unused may be collected.
export function wakes(run, get) {
  for (const name of LOADED) run(`wake.load(${JSON.stringify(name)})`);
  for (const name of ["as_a_board", "begin"]) run(`wake.${name}()`);
  run("wake.work()");
  do run("_more = wake.step()");
  while (get("_more"));
  run("wake.over()");
  run("_done = wake.end()");
}
