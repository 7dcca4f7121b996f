"""How well a model's numbers tell foreign pictures from its own:  python -m benchmarks.foreign

For both models that ship: bits per dimension, the size of a PNG file and the distance of the latents, of the model's
own held-out pictures and of eight foreign sets, and the area under the ROC curve (AUROC) of four scores made of them.
This needs fairface64 in the folder of GLOWLITE_DATA; without it a model keeps what is recorded.
Numbers alone are kept, in assets/runs/foreign.json, which notebook 15 and RESULTS.md show.
"""

import argparse
import json
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from glowlab.foreign import KIND, RECORDED, auroc, make_foreign, measure, scores
from glowlite import checkpoint
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.training import metrics
from glowlite.training.stream import TEST_SEED, read_pictures

OTHER = {"faces64": "fairface64", "portraits64": "faces"}  # the other model's pictures
SEED = 15


def own_pictures(data: str, count: int) -> Tensor:
    """Held-out pictures, uint8 (count, 3, 64, 64)."""
    if data == "faces":
        return faces.draw(count, size=64, seed=TEST_SEED).images
    images = read_pictures(data, (3, 64, 64), "test")
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))[:count]]


def numbers_of(name: str, count: int) -> dict[str, dict[str, list[float]]]:
    """NUMBERS of the usual pictures, of own ones (others than those), and of each foreign set."""
    model = checkpoint.load(name)
    own = own_pictures(checkpoint.read_card(name)["data"], 2 * count)
    sets = {"usual": own[:count], "own": own[count:]}
    sets |= make_foreign(own[count:], torch.Generator().manual_seed(SEED))
    sets["the other's faces"] = own_pictures(OTHER[name], count)
    found = {}
    for what, images in sets.items():
        found[what] = {key: [round(v, 4) for v in values.tolist()] for key, values in measure(model, images).items()}
        print(f"{name}: {what}, {sum(found[what]['bits']) / len(images):.3f} bits/dim", flush=True)
    return found


def areas(sets: dict) -> dict[str, dict[str, float]]:
    """AUROC of each foreign set by each score: {set: {score: area}}."""
    tensors = {name: {key: torch.tensor(values) for key, values in numbers.items()} for name, numbers in sets.items()}
    usual = tensors.pop("usual")
    own = scores(tensors.pop("own"), usual)
    return {
        name: {key: round(auroc(own[key], values), 4) for key, values in scores(numbers, usual).items()}
        for name, numbers in tensors.items()
    }


def table(models: dict) -> str:
    """AUROC of each set, by score, both models side by side; and the mean over the sets."""
    names = list(models)
    kinds = list(next(iter(models[names[0]]["auroc"].values())))
    lines = [" | ".join(["foreign set", *(f"{model}: {kind}" for model in names for kind in kinds)])]
    lines.append(" | ".join(["---"] * (1 + len(names) * len(kinds))))
    for what in models[names[0]]["auroc"]:
        cells = [f"{models[model]['auroc'][what][kind]:.2f}" for model in names for kind in kinds]
        lines.append(" | ".join([what, *cells]))
    means = []
    for model in names:
        rows = models[model]["auroc"].values()
        means += [f"{sum(row[kind] for row in rows) / len(rows):.2f}" for kind in kinds]
    lines.append(" | ".join(["mean", *means]))
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RECORDED, help="default: assets/runs/foreign.json")
    parser.add_argument("--count", type=int, default=100, help="pictures of each set (default: 100)")
    given = parser.parse_args()
    record = json.loads(given.out.read_text()) if given.out.is_file() else {"models": {}}
    torch.set_num_threads(1)
    for name in OTHER:
        try:
            sets = numbers_of(name, given.count)
        except GlowliteError as error:
            print(f"{name} is left as it is recorded: {error}")
            continue
        record["models"][name] = {"sets": sets, "auroc": areas(sets)}
    command = "python -m benchmarks.foreign" + (f" --count {given.count}" if given.count != 100 else "")
    record |= {"kind": KIND, "command": command, "date": date.today().isoformat()}
    record |= {"machine": metrics.machine(), "versions": metrics.versions()}
    write_atomically(given.out, (json.dumps(record) + "\n").encode())
    print(table(record["models"]))


if __name__ == "__main__":
    main()
