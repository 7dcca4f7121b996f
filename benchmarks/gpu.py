"""Everything there is to try on a GPU, in one command of at most nine minutes:  python -m benchmarks.gpu --out FOLDER

The tests that need a GPU; training steps in many variants, with torch.compile and CUDA graphs, and of the paper's
CIFAR-10 configuration; other flow libraries beside this one; one picture of 256 x 256 beside the least time for it; and
a training with the time that is left. Each part is a process of its own and has a share of the time. What it found is
written while it runs, so a part that fails or hangs loses nothing of the others.

FOLDER gets report.md, results.json, log.txt, and the state of the training in pieces of less than 16 MB. The same
command with --state FOLDER trains on from there; --join FOLDER RUN makes a run's folder of the pieces, with which
`glowlite train --resume --out RUN` goes on.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# PyTorch is loaded late, as this takes some of the time: the imports that need it are in functions.
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically

ROOT = Path(__file__).parents[1]
PIECE = 15 * 10**6  # bytes of a piece of the state
STATE = "last.safetensors"  # in a run's folder
SHARES = {
    "tests": 12,
    "steps": 16,
    "engines": 20,
    "sample": 10,
    "paper": 12,
    "peers": 8,
    "peers_wide": 8,
    "training": 30,
}
LEAST = 25.0  # seconds without which no part begins; on a small scale, one
GRACE = 15.0  # seconds in which a training saves its state when its time is over
DATA = {"fairface64": "portraits64", "cifar10": "faces32"}  # the first that is there, and its preset; else drawn faces


@dataclass
class Session:
    """One call of the command: its options, its end, and what is known so far."""

    options: argparse.Namespace
    work: Path  # for files of any size
    end: float
    parts: dict[str, dict] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.options.out

    def left(self) -> float:
        return self.end - time.monotonic()

    def share(self, name: str) -> float:
        """Seconds for a part: its share of what is left for it and the parts after it."""
        names = [each for each in SHARES if each in self.options.parts]
        return self.left() * SHARES[name] / sum(SHARES[each] for each in names[names.index(name) :])

    def run(self, name: str) -> None:
        """Run one part, or say why not, and write down what it found."""
        seconds, least = self.share(name), 1.0 if self.options.tiny else LEAST
        if seconds < least:
            self.parts[name] = {"told": f"left out: it would have had {seconds:.0f} s of at least {least:.0f}"}
            return self.write()
        begun = time.monotonic()
        try:
            if name == "training":
                self.train(seconds)
            else:
                self.call(name, self.command(name, seconds), seconds)
        except (GlowliteError, OSError) as error:
            self.parts[name] = self.parts.get(name, {}) | {"told": f"failed: {error}"}
        self.parts[name]["took"] = round(time.monotonic() - begun, 1)
        self.write()

    def command(self, name: str, seconds: float) -> list[str]:
        if name == "tests":
            return ["pytest", "tests/gpu", "-ra", "-W", "default", "-p", "no:cacheprovider", "--durations=5"]
        words = ["benchmarks.gpu_parts", name, "--out", str(self.work / f"{name}.json")]
        words += ["--device", self.options.device, "--until", f"{time.time() + 0.92 * seconds - 2:.1f}"]
        return words + ["--tiny"] * self.options.tiny

    def call(self, name: str, words: list[str], seconds: float, grace: float = 2.0) -> None:
        """`python -m` with these words, killed with all its children when its time is over."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "GLOWLITE_TEST_DEVICE": self.options.device}
        environment["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # so that the tests' products are the same every time
        part = self.parts[name] = {"told": "running", "rows": []}
        end = time.monotonic() + seconds
        with (self.work / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                asked = self.wait(name, process, end, grace)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # it, or what it left running
                process.wait()
        self.collect(name)
        part["told"] = told(process.returncode, asked)

    def wait(self, name: str, process: subprocess.Popen, end: float, grace: float) -> bool:
        """Wait for a part and write down what it finds; whether it had to be asked to end, as its time was over."""
        asked, written, file = False, 0.0, self.work / f"{name}.json"
        while process.poll() is None and (left := end - time.monotonic()) > 0:
            if left < grace and not asked:
                process.terminate()
                asked = True
            if file.exists() and file.stat().st_mtime > written:
                written = file.stat().st_mtime
                self.collect(name)
                self.write()
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(1.0, left))
        return asked

    def collect(self, name: str) -> None:
        """Take over what a part has written so far."""
        with suppress(OSError, ValueError):
            self.parts[name] |= json.loads((self.work / f"{name}.json").read_text())

    def log(self, name: str) -> str:
        """The end of a part's output, without codes of colour and bars that were painted over."""
        with suppress(OSError):
            text = (self.work / f"{name}.log").read_text(errors="replace")
            return re.sub(r"\x1b\[[\d;]*m|[^\n]*\r", "", text)[-200_000:]
        return ""

    def write(self) -> None:
        """The three files, each whole or as it was."""
        content = {"kind": "glowlite gpu", "command": self.options.command, "parts": self.parts}
        texts = {
            "results.json": json.dumps(content, indent=1) + "\n",
            "report.md": report(self.parts, self.options.command),
            "log.txt": "".join(f"==== {name}\n{self.log(name)}\n" for name in self.parts),
        }
        for name, text in texts.items():
            try:
                write_atomically(self.out / name, text.encode())
            except GlowliteError as error:
                print(error, file=sys.stderr)

    # ---- a training with what is left ----------------------------------------------------------------------------

    def train(self, seconds: float) -> None:
        """Train, or go on, until the time is over; the state ends up in `out` in pieces."""
        end, run, seen = time.monotonic() + 0.9 * seconds, self.work / "run", 0
        from glowlite.training import metrics
        from glowlite.training.config import METRICS, read_run

        if self.options.state:
            join(self.options.state, run)
            seen = read_run(run)[1]["images"]
        speed, seconds = self.speed(), end - time.monotonic()
        images = self.options.images or seen + (round(speed * max(1.0, seconds - 3 * GRACE)) if speed else 10**7)
        words = ["glowlite", "train", "--out", str(run), "--images", str(images)]
        accelerator = "cpu" if self.options.device == "cpu" else "gpu"
        words += ["--accelerator", accelerator, "--checkpoint-minutes", "1", "--quiet"]
        if seen:
            words.append("--resume")
        else:
            words += first_settings(self.options.tiny)
        self.call("training", words, seconds, grace=min(GRACE, seconds / 2))
        part = self.parts["training"]
        part |= {"words": " ".join(words[1:]).replace(str(run), "RUN"), "lines": metrics.read_metrics(run / METRICS)}
        if (run / STATE).exists():
            part["pieces"] = [path.name for path in cut(run / STATE, self.out)]
            part["images"] = read_run(run)[1]["images"]

    def speed(self) -> float:
        """Images per second that a training will reach, carefully."""
        rows = {row["name"]: row for row in self.parts.get("steps", {}).get("rows", [])}
        return 0.8 * rows.get("bf16, pictures copied", {}).get("images_per_second", 0.0)


def first_settings(tiny: bool) -> list[str]:
    """The settings of a new run: of the pictures that are there."""
    if tiny:
        return ["--preset", "tiny", "--batch", "8", "--init-batch", "16", "--validation-count", "8"]
    from glowlite.data.datasets import cache_folder

    name = next((name for name in DATA if (cache_folder() / f"{name}.npz").exists()), "faces")
    words = ["--data", name, "--preset", DATA.get(name, "faces64"), "--batch", "64", "--precision", "bf16"]
    return words + ["--flip"] * (name != "faces")


def told(code: int, asked: bool) -> str:
    """How a part ended, in words."""
    if code == 0:
        return "done"
    if code == -signal.SIGKILL:
        return "killed, as its time was over" if asked else "killed by the system; too little memory?"
    if asked:
        return "stopped, as its time was over"
    return f"failed with status {code}; log.txt says more"


# ---- the state in pieces ---------------------------------------------------------------------------------------------


def cut(path: Path, folder: Path) -> list[Path]:
    """Write the pieces of a file into a folder, where nothing of an older one stays."""
    for old in folder.glob(f"{path.name}.[0-9][0-9]"):
        old.unlink()
    content = path.read_bytes()
    pieces = [content[start : start + PIECE] for start in range(0, len(content), PIECE)]
    names = [folder / f"{path.name}.{number:02}" for number in range(len(pieces))]
    for name, piece in zip(names, pieces, strict=True):
        write_atomically(name, piece)
    return names


def join(folder: Path, run: Path) -> None:
    """Make a run's folder of the pieces in `folder`. GlowliteError if they are no whole state, or if one is there."""
    pieces = sorted(folder.glob(f"{STATE}.[0-9][0-9]"))
    from glowlite.training.config import read_run

    if not pieces:
        raise GlowliteError(f"{folder} holds no pieces of a state ({STATE}.00, ...).")
    if (run / STATE).exists():
        raise GlowliteError(f"{run} already holds a training: choose another folder.")
    write_atomically(run / STATE, b"".join(piece.read_bytes() for piece in pieces))
    read_run(run)  # whole, by its checksum


# ---- the report ------------------------------------------------------------------------------------------------------

COLUMNS = {  # of a table: key of a row, its title, and how to write a value
    "images_per_second": ("images/s", "{:,.1f}"),
    "training, images/s": ("training, images/s", "{:,.1f}"),
    "ours, training, images/s": ("ours is as fast, times", "{:.2f}"),
    "decode one, ms": ("decode one, ms", "{:.2f}"),
    "ours, decode one, ms": ("ours", "{:.2f}"),
    "decode 16, ms": ("decode 16, ms", "{:.2f}"),
    "ours, decode 16, ms": ("ours", "{:.2f}"),
    "waits": ("waits in a step", "{}"),
    "milliseconds": ("ms", "{:.2f}"),
    "floor": ("least, ms", "{:.3f}"),
    "ratio": ("times as fast as the first", "{:.2f}"),
    "peak": ("peak, MB", "{:,.0f}"),
    "prepare": ("ready after, s", "{:.1f}"),
    "rounds": ("rounds", "{}"),
    "error": ("", "{}"),
}


def table(rows: list[dict]) -> str:
    """Rows as Markdown, with the columns that any of them has."""
    keys = [key for key in COLUMNS if any(key in row for row in rows)]
    lines = [["", *(COLUMNS[key][0] for key in keys)], ["---"] * (len(keys) + 1)]
    for row in rows:
        cells = ["" if row.get(key) is None else COLUMNS[key][1].format(row[key]) for key in keys]
        lines.append([row["name"], *cells])
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def report(parts: dict[str, dict], command: str) -> str:
    """All that is known so far, as Markdown."""
    lines = [f"# What a GPU does\n\n`{command}`"]
    machine = next((part["machine"]["device"] for part in parts.values() if "machine" in part), None)
    lines += [f"Measured on: {machine}"] if machine else []
    for name, part in parts.items():
        lines.append(f"## {name}: {part['told']}" + (f" ({part['took']} s)" if "took" in part else ""))
        facts = {key: part[key] for key in ("preset", "batch", "size", "words", "images", "pieces") if key in part}
        lines += [", ".join(f"{key} {value}" for key, value in facts.items())] if facts else []
        if "rates" in part:
            rates = {
                key: f"{value / 1e12:.2f} T{'B' if key == 'copy' else 'FLOP'}/s" for key, value in part["rates"].items()
            }
            lines.append("Measured rates: " + ", ".join(f"{key} {value}" for key, value in rates.items()))
        lines += [table(part["rows"])] if part.get("rows") else []
        lines += [json.dumps(line) for line in part.get("lines", [])[-2:]]
    return "\n\n".join(lines) + "\n"


def main(words: list[str] | None = None) -> int:
    begun = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="default: runs/gpu")
    parser.add_argument("--minutes", type=float, default=9, help="for all together, kept strictly (9)")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--parts", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--state", type=Path, help="folder with the pieces of a state, to train on from")
    parser.add_argument(
        "--images", type=int, default=0, help="of the training, in all; 0: as many as there is time for"
    )
    parser.add_argument("--tiny", action="store_true", help="the same on a small scale, to try the command")
    parser.add_argument("--join", nargs=2, type=Path, metavar=("FOLDER", "RUN"), help="only make RUN of the pieces")
    options = parser.parse_args(words)
    options.command = " ".join(["python -m benchmarks.gpu", *(sys.argv[1:] if words is None else words)])
    try:
        if options.join:
            join(*options.join)
            return 0
        with tempfile.TemporaryDirectory() as work:
            session = Session(options, Path(work), begun + 60 * options.minutes - 3)
            for name in SHARES:
                if name in options.parts:
                    session.run(name)
                    print(f"{name}: {session.parts[name]['told']}", flush=True)
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{report(session.parts, options.command)}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no part outlives the command
    sys.exit(main())
