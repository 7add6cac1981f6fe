"""Fuzz all targets in turn; prints a line for each, and returns 1 when something was found."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import host_tests.shim  # noqa: F401 (MicroPython's dialect, before lib/ is imported)
from host_tests.fuzz.seeds import SEEDS
from host_tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
FOUND = ROOT / "build" / "fuzz"
LONGEST = 512  # bytes of an input
KEPT = 30  # inputs of a target's corpus
FAULTY = ("crash-", "timeout-", "oom-")
FINDINGS = 3  # of one target, before it is left alone
GRACE_S = 300  # of a busy machine


class Outcome(NamedTuple):
    """runs -- inputs tried; edges -- of the code under test that were reached"""

    runs: int
    edges: int
    findings: list[Path]


def fuzz(name: str, seconds: float, seed: int, keep: bool = False, runs: int = -1) -> Outcome:
    """One target for so long, or for so many runs. keep -- new inputs go into the repository"""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    seeds = CORPUS / name
    end = time.monotonic() + seconds
    done, edges = 0, 0
    findings: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="fuzz.") as scratch:
        for number, data in enumerate(SEEDS.get(name, [])):
            Path(scratch, f"seed-{number}").write_bytes(data)
        while (left := end - time.monotonic()) > 0 and len(findings) < FINDINGS:
            before = set(folder.iterdir())
            said = _child(name, [
                scratch, *([str(seeds)] if seeds.is_dir() else []),
                f"-max_total_time={max(1, round(left))}", f"-max_len={LONGEST}", f"-runs={runs}",
                f"-seed={seed + len(findings)}", f"-artifact_prefix={folder}/",
                "-print_final_stats=1", "-timeout=60",
            ], left + GRACE_S)  # fmt: skip
            done += int((re.findall(r"number_of_executed_units: (\d+)", said) or ["0"])[-1])
            edges = max([edges, *(int(n) for n in re.findall(r"cov: (\d+)", said))])
            # What was only slow, on a machine that is busy, is no finding.
            new = sorted(p for p in set(folder.iterdir()) - before if p.name.startswith(FAULTY))
            findings += new
            for path in new:
                path.with_suffix(".txt").write_text(said[-8000:])
            if not new:
                break
            seed += 1
        if keep:
            _keep(name, scratch)
    return Outcome(done, edges, findings)


def _child(name: str, options: list[str], limit_s: float) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "host_tests.fuzz.child", name, *options],
        cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def _keep(name: str, scratch: str) -> None:
    """Into the corpus: the shortest of the inputs that have reached something new."""
    found = [path for path in Path(scratch).iterdir() if not path.name.startswith("seed-")]
    seeds = CORPUS / name
    seeds.mkdir(parents=True, exist_ok=True)
    room = KEPT - len(list(seeds.iterdir()))
    for path in sorted(found, key=lambda path: (path.stat().st_size, path.name))[: max(0, room)]:
        shutil.copy(path, seeds)


def main() -> int:
    """Returns 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m host_tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together")
    parser.add_argument("--only", action="append", choices=TARGETS, help="a target; repeatable")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--keep", action="store_true", help="new inputs go into the corpus")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="build/fuzz/TARGET/... again")
    args = parser.parse_args()
    if args.replay:
        TARGETS[args.replay.parent.name](args.replay.read_bytes())
        print("nothing is wrong with it")
        return 0
    names = args.only or list(TARGETS)
    print(f"{len(names)} targets, {args.minutes:g} minutes, seed {args.seed}")
    found: list[Path] = []
    for name in names:
        outcome = fuzz(name, args.minutes * 60 / len(names), args.seed, args.keep)
        print(f"{name:<12}{outcome.runs:>10,} runs, {outcome.edges:>5} edges, "
              f"{len(outcome.findings)} found", flush=True)  # fmt: skip
        found += outcome.findings
    for path in found:
        print(f"FOUND: python -m host_tests.fuzz --replay {path.relative_to(ROOT)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
