"""A Glow of notes, and how far its pitch slider reaches, in three forms:  python -m benchmarks.notes

A note is known to the flow as samples, as Fourier coefficients, or as lengths and turns of these (see
glowlab/sound/flow.py). All three forms learn for the same CPU seconds, on one thread. Then directions are found from
training notes, and the pitch slider is tried on 64 held-out notes, with a meter. --train also trains the third form
with additive couplings, for longer, and ships it. What the record holds already is not run again.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.runs import learn_for, read, save
from glowlab.sound import flow
from glowlab.sound.notes import ATTRIBUTES, REACH, draw, measure
from glowlite import pixels
from glowlite.training import metrics

OUT = Path(__file__).parents[1] / "assets" / "runs" / "notes.json"
COUNT, HELD_OUT, TRIED, BATCH, LR = 8192, 256, 64, 32, 3e-3
TRAIN_SEED, HELD_OUT_SEED = 1, 2
STOPS = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)


def train(form: str, coupling: str, seconds: float) -> tuple[flow.NoteFlow, dict]:
    """Learn for so many CPU seconds: the averaged model, and its curve of held-out bits per sample."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    notes, held_out = draw(COUNT, TRAIN_SEED).notes, draw(HELD_OUT, HELD_OUT_SEED).notes
    model = flow.NoteFlow(form, coupling).train()
    with torch.no_grad():
        model(pixels.dequantize(notes[:256], generator=generator))  # sets every ActNorm

    def loss_of_batch() -> Tensor:
        return model.bits(notes[torch.randint(0, COUNT, (BATCH,), generator=generator)], generator).mean()

    average, curve = learn_for(
        seconds, model, torch.optim.Adamax(model.parameters(), LR), loss_of_batch,
        lambda average: average.bits(held_out, torch.Generator().manual_seed(0)).mean().item(),
        warmup=50, fall=3, ema=0.99, clip=50.0,
    )  # fmt: skip
    facts = {"form": form, "coupling": coupling, "seconds": round(seconds)}
    return average, facts | {"steps": curve[-1][1], "curve": curve}


@torch.no_grad()
def directions_of(model: flow.NoteFlow) -> list:
    """Directions from half of the training notes."""
    notes, attributes = (part[: COUNT // 2] for part in draw(COUNT, TRAIN_SEED))
    parts = [model.encode(part) for part in notes.split(256)]
    return flow.find_directions([torch.cat(level) for level in zip(*parts, strict=True)], attributes)


def try_sliders(model: flow.NoteFlow, directions: list) -> dict:
    """How far each slider moves what it names, and pitch, on held-out notes; and whether they come back."""
    notes, _ = draw(TRIED, HELD_OUT_SEED)
    latents, before = model.encode(notes), measure(notes)
    tried = {"wrong_samples": int((model.decode(latents) != notes).sum()), "stops": list(STOPS)}
    for name in ATTRIBUTES:
        moved = []
        for stop in STOPS:
            after = measure(model.decode(flow.move(latents, directions, name, stop)))
            moved.append({other: (after[other] - before[other]) for other in ATTRIBUTES})
        tried[name] = [quartiles(each[name]) for each in moved]
        if name != "pitch":
            tried[f"{name}: cents astray"] = [quartiles(each["pitch"].abs()) for each in moved]
    return tried


def quartiles(values: torch.Tensor) -> list[float]:
    """10 %, 50 % and 90 % of the values."""
    return [round(value, 2) for value in values.double().nanquantile(torch.tensor([0.1, 0.5, 0.9]).double()).tolist()]


def table(runs: list[dict]) -> str:
    """Each run: bits per sample, and the cents that the pitch slider moves."""
    wanted = REACH[0]
    asked = f"cents moved for {wanted / 4:.0f} | for {wanted:.0f}"
    lines = [f"| form | couplings | CPU s | bits/sample | wrong samples | {asked} |", "|---|---|---|---|---|---|---|"]
    for run in runs:
        low, high = (run["pitch"][STOPS.index(stop)] for stop in (0.25, 1.0))
        cents = " | ".join(f"{middle:.0f} ({first:.0f} to {last:.0f})" for first, middle, last in (low, high))
        cells = (
            run["form"],
            run["coupling"],
            str(run["seconds"]),
            f"{run['curve'][-1][2]:.3f}",
            str(run["wrong_samples"]),
        )
        lines.append(f"| {' | '.join(cells)} | {cents} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/notes.json")
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds for each form; default: 60")
    parser.add_argument("--train", type=float, default=0, metavar="SECONDS", help="also train and ship the last form")
    parser.add_argument("--ship", type=Path, default=flow.FILE, help="where to; default: assets/notes")
    given = parser.parse_args(arguments)
    plan = [(form, "affine", given.seconds) for form in flow.FORMS]
    plan += [(flow.FORMS[-1], "additive", given.train)] * bool(given.train)
    runs = []
    for form, coupling, seconds in plan:
        facts = {"form": form, "coupling": coupling, "seconds": round(seconds)}
        known = [run for run in read(given.out) if facts.items() <= run.items()]
        if known and coupling == "affine":
            runs += known
            continue
        model, run = train(form, coupling, seconds)
        model = flow.halved(model)
        directions = directions_of(model)
        runs.append(run | try_sliders(model, directions))
        save(given.out, runs, "glowlite notes")
        if coupling == "additive":
            card = {"model": model.settings, "training": run, "machine": metrics.machine(),
                    "versions": metrics.versions(), "data": f"glowlab.sound.notes.draw({COUNT}, {TRAIN_SEED})",
                    "licence": "MIT"}  # fmt: skip
            flow.save(model, directions, card, given.ship)
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
