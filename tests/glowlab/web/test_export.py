"""What is exported for pages: weights, head, and refusals; the modules as one; the kernels as compiled."""

import importlib.metadata
import json
import math
import re

import pytest
import torch
from safetensors.torch import load as from_bytes
from typer.testing import CliRunner

from glowlab.explorers.precomputed import Precomputed
from glowlab.web import bundle, compile, export
from glowlite import checkpoint, cli
from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS, Glow, GlowConfig
from tests.test_project import pins

TINY = GlowConfig((1, 8, 8), levels=2, depth=1, width=6)


def ready(config: GlowConfig) -> Glow:
    model = Glow(config)
    model.initialize(torch.rand(16, *config.shape) - 0.5)
    return model.eval()


def head_of(content: bytes) -> dict:
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (PRESETS["cifar10"], "edge, nor the scale 'sigmoid'"),
        (PRESETS["realnvp32"], "couplings of a checkerboard"),
        (GlowConfig((3, 8, 8), levels=2, depth=1, width=1025), "more than 1024 channels"),
        (GlowConfig((2, 8, 8), levels=2, depth=1, width=8), "pictures other than gray or RGB"),
    ],
)
def test_what_a_page_cannot_compute_is_refused_in_a_sentence(config, words):
    with pytest.raises(GlowliteError, match=f"^a page cannot show this model: .*{words}"):
        export.check(config)
    for shipped in ("faces64", "portraits64", "tiny", "mnist"):
        export.check(PRESETS[shipped])


def test_a_model_without_data_or_with_nan_is_refused():
    with pytest.raises(GlowliteError, match="has not seen data"):
        export.tensors(Glow(TINY))
    model = ready(TINY)
    model.levels[0].steps.flows[1].flows[0].b.data[0] = torch.nan
    with pytest.raises(GlowliteError, match=r"levels\.0\.steps\.0\.mixing.* not finite"):
        export.tensors(model)


def test_numbers_of_a_card_that_are_none_do_not_reach_the_page():
    card = {"held_out": {"bits_per_dim": math.nan, "spread": 0.1}, "notes": [math.inf, 2.5], "parameters": 7}
    head = head_of(export.pack("mine", ready(TINY), {}, card, Precomputed()).bin)["__metadata__"]["glow"]
    about = json.loads(head, parse_constant=pytest.fail)
    assert (about["held_out"], about["notes"]) == ({"bits_per_dim": None, "spread": 0.1}, [None, 2.5])
    assert (about["parameters"], about["typical"]) == (7, None)


def test_a_step_is_folded_and_filled_up():
    """ActNorm and mixing are one matrix; the hidden channels are a multiple of 4."""
    model = ready(TINY).double()
    found, step = export.tensors(model, torch.float64), model.levels[0].steps.flows[1]
    x = torch.randn(5, 4, dtype=torch.double)
    with torch.no_grad():
        z = step.flows[1](step.flows[0](x)[0])[0]
    weights, bias = (found[f"levels.0.steps.0.mixing.{part}"].double() for part in ("weights", "bias"))
    assert torch.allclose(x @ weights[0, 0] + bias, z, atol=1e-5)
    shapes = [tuple(found[f"levels.0.steps.0.{part}.weights"].shape) for part in ("first", "second", "last")]
    assert shapes == [(3, 3, 2, 8), (1, 1, 8, 8), (3, 3, 8, 4)]


def test_only_networks_are_halved_and_not_where_halves_end():
    model = ready(TINY)
    kinds = {name: values.dtype for name, values in export.tensors(model).items()}
    halved = {name for name, kind in kinds.items() if kind == torch.half}
    assert halved == {name for name in kinds if re.search(r"\.(first|second|last)\.weights", name)}
    model.levels[0].steps.flows[1].flows[2].network.second.weight.data[0] = 1e6
    assert export.tensors(model)["levels.0.steps.0.second.weights"].dtype == torch.float32


def test_the_command_writes_a_file_and_a_script_with_head_and_card(tmp_path):
    path = checkpoint.save(tmp_path / "mine", ready(TINY), {"credit": "by me", "licence": "MIT"})
    steps = {"smile": [torch.ones(1, *shape) for shape in ((2, 4, 4), (8, 2, 2))]}
    checkpoint.save_directions(path, steps)
    run = CliRunner().invoke(cli.app, ["export-web", str(path), "--out", str(tmp_path / "web")])
    assert run.exit_code == 0, run.output
    content = (tmp_path / "web" / "mine.bin").read_bytes()
    said = json.loads(head_of(content)["__metadata__"]["glow"])
    assert said["name"] == "mine" and said["credit"] == "by me" and said["licence"] == "MIT"
    assert GlowConfig.from_dict(said["config"]) == TINY
    assert said["latent_shapes"] == [[2, 4, 4], [8, 2, 2]]
    assert said["directions"] == [{"name": "smile", "low": -1, "high": 1}]
    low, high = from_bytes(content)["directions.smile.1.halves"]
    assert torch.stack([low, high], -1).view(torch.half)[..., 0].tolist() == torch.ones(8, 2, 2).tolist()
    assert (tmp_path / "web" / "mine.bin.js").read_text() == export.to_script(content)
    assert len(list((tmp_path / "web").iterdir())) == 2  # nothing is known of labels


def test_what_few_labels_give_is_a_file_of_its_own():
    few = {100: {"smile": [torch.randn(1, *shape) for shape in ((2, 4, 4), (8, 2, 2))]}}
    stored = export.Precomputed({"smile": torch.randn(20)}, few, labels={"smile": torch.randn(20)})
    made = export.pack("mine", ready(TINY), {}, {}, stored)
    later = {"measured.few.100.0", "measured.few.100.1", "measured.scale.100.0", "measured.scale.100.1"}
    assert set(from_bytes(made.labels)) == later and not later & set(from_bytes(made.bin))
    assert "measured.places.halves" in from_bytes(made.bin)


def test_a_model_without_card_and_directions_is_exported(tmp_path):
    path = checkpoint.save(tmp_path / "bare", ready(TINY), {})
    path.with_suffix(".json").unlink()
    said = json.loads(head_of(export.to_bin(path))["__metadata__"]["glow"])
    assert said["directions"] == [] and "credit" not in said


@pytest.mark.parametrize(
    ("folder", "order"), [("js", bundle.FLOW), ("explorers", [*bundle.EXPLORERS, "comm", "widget"])]
)
def test_every_module_is_bundled_after_those_it_imports(folder, order):
    files = {path.stem: path.read_text(encoding="utf-8") for path in (bundle.HERE / folder).glob("*.js")}
    assert sorted(files) == sorted(order)
    for number, name in enumerate(order):
        imported = set(re.findall(r' from "\./(\w+)\.js"', files[name]))
        assert imported <= set(order[:number]), name


@pytest.mark.parametrize("make", [bundle.bundle, bundle.script, bundle.widget])
def test_a_bundle_imports_nothing(make):
    assert not re.search(r"^(import|} from) ", make(), re.M)


@pytest.mark.parametrize(("order", "make"), [("FLOW", bundle.bundle), ("EXPLORERS", bundle.widget)])
def test_a_name_that_two_modules_declare_is_an_error(monkeypatch, order, make):
    first = getattr(bundle, order)[0]
    monkeypatch.setattr(bundle, order, [first, first])
    with pytest.raises(ValueError, match="two modules declare"):
        make()


def test_the_kernels_are_compiled_from_their_source():
    pytest.importorskip("ziglang", reason="the compiler of the extra wasm is not installed")
    (pin,) = pins()["ziglang"].specifier
    if importlib.metadata.version("ziglang") != pin.version:
        pytest.skip("another version of the compiler gives other bytes")
    assert compile.compile_kernels() == (compile.HERE / "kernels.wasm").read_bytes(), "run make wasm"
