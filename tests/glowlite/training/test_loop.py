"""The training loop: what it computes, that it resumes exactly, and how it stops."""

import json
import math
import signal
from dataclasses import replace

import pytest
import torch

from glowlite import checkpoint, evaluation
from glowlite.data import faces
from glowlite.data.pictures import digests
from glowlite.errors import GlowliteError
from glowlite.flows import Coupling
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.sheet import save_png
from glowlite.training import config as runs
from glowlite.training import loop as training
from glowlite.training import metrics
from glowlite.training.config import TrainConfig
from glowlite.training.loop import Trainer, train
from glowlite.training.nonfinite import first_nonfinite
from glowlite.training.optimizers import MUON_RATE
from glowlite.training.process import locked
from glowlite.training.stream import PictureStream, open_stream
from glowlite.training.stream import test_pictures as held_out
from tests.helpers import name_of_format_1

SMALL = GlowConfig((3, 16, 16), levels=2, depth=1, width=8)


class NoStop:
    signal = 0


def settings(out, **changes) -> TrainConfig:
    values = {"model": SMALL, "images": 96, "batch": 8, "warmup": 24, "ema": 64, "init_batch": 32}
    values |= {
        "log_every": 8,
        "validate_every": 32,
        "validation_count": 8,
        "accelerator": "cpu",
        "threads": 1,
    }
    return TrainConfig(out=str(out), **values | changes)


def run(config, **options):
    return train(config, progress=False, **options)


def stop_after(config, steps: int, resume=False) -> Trainer:
    """A run that is asked to stop during its step number `steps`, as Ctrl-C would ask."""
    trainer = Trainer(config, resume, progress=False)
    stop, step = NoStop(), trainer.step

    def counting(stop):
        stop.signal = signal.SIGINT if trainer.steps + 1 == steps else 0
        return step(stop)

    trainer.step = counting
    assert trainer.fit(stop).stopped_by == signal.SIGINT
    assert trainer.steps == steps
    return trainer


def history(out) -> list[dict]:
    """The metrics without what depends on the clock."""
    clock = ("seconds", "images_per_second")
    return [{k: v for k, v in line.items() if k not in clock} for line in metrics.read_metrics(out / runs.METRICS)]


# ---- what a step computes ------------------------------------------------------------------------


def test_loss_is_bits_per_dimension_of_the_batch(tmp_path):
    trainer = Trainer(settings(tmp_path), progress=False)
    x = []
    trainer.glow.register_forward_pre_hook(lambda module, inputs: x.append(inputs[0]))
    bpd = trainer.step(NoStop)[0]
    reference = Trainer(settings(tmp_path), progress=False).glow
    dims = 3 * 16 * 16
    with torch.no_grad():
        expected = -(reference.log_density(x[0]).double() - dims * math.log(256)) / (dims * math.log(2))
    assert bpd == pytest.approx(expected.mean().item(), rel=1e-5)
    images = trainer.stream.batch(0)
    pixels = (x[0] + 0.5) * 256
    assert torch.equal(pixels.floor().to(torch.uint8), images), "x is not the batch, dequantised"
    trainer.step(NoStop)
    difference = pixels % 1 - (x[-1] + 0.5) * 256 % 1
    assert difference.abs().mean() > 0.2, "every step has noise of its own"


def test_flipped_batches_are_the_same_pictures_half_of_them_mirrored(tmp_path):
    x = {}
    for flip in (False, True):
        trainer = Trainer(settings(tmp_path / str(flip), batch=32, flip=flip), progress=False)
        trainer.glow.register_forward_pre_hook(lambda module, inputs, flip=flip: x.setdefault(flip, inputs[0]))
        trainer.step(NoStop)
    plain, flipped = (((x[flip] + 0.5) * 256).floor() for flip in (False, True))
    mirrored = (flipped == plain.flip(3)).flatten(1).all(1)
    assert bool(((flipped == plain).flatten(1).all(1) | mirrored).all()), "other pictures, or turned otherwise"
    assert 8 <= int(mirrored.sum()) <= 24


def test_training_lowers_held_out_bits_per_dimension(tmp_path):
    run(settings(tmp_path, images=480, validate_every=80, lr=5e-3))
    val = [line["val_bpd"] for line in history(tmp_path) if "val_bpd" in line]
    assert len(val) == 6
    assert val[-1] < val[0] - 0.1


def test_average_follows_the_weights_with_the_stated_decay(tmp_path):
    trainer = Trainer(settings(tmp_path), progress=False)
    name, weight = next(iter(trainer.glow.named_parameters()))
    expected = weight.detach().clone()
    for step in range(4):
        trainer.step(NoStop)
        decay = min(math.exp(-8 / 64), (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight.detach()
    torch.testing.assert_close(dict(trainer.average.named_parameters())[name], expected)
    assert not torch.equal(expected, weight)


def test_learning_rate_warms_up_stays_and_falls_to_zero():
    config = settings("nowhere", images=1000, batch=10, warmup=100, decay=0.5, lr=1.0)
    assert training.learning_rate(config, 0) == pytest.approx(0.1)
    assert training.learning_rate(config, 40) == pytest.approx(0.5)
    assert training.learning_rate(config, 300) == 1.0
    assert training.learning_rate(config, 750) == pytest.approx(0.5)
    assert training.learning_rate(config, 1000) == 0.0
    cosine = replace(config, decay_shape="cosine")
    assert training.learning_rate(cosine, 625) == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))
    longer = replace(config, images=2000)
    assert training.learning_rate(longer, 750) == 1.0


def test_gradient_is_clipped_by_its_norm(tmp_path):
    trainer = Trainer(settings(tmp_path, clip=0.01), progress=False)
    norm = trainer.step(NoStop)[1]
    left = torch.nn.utils.get_total_norm([p.grad for p in trainer.glow.parameters() if p.grad is not None])
    assert norm > 0.1, "the norm reported is the one before clipping"
    assert left.item() == pytest.approx(0.01, rel=1e-3)


def test_muon_moves_hidden_convolutions_alike_in_all_directions_and_the_rest_as_adam_does(tmp_path):
    trainer = Trainer(settings(tmp_path, optimizer="muon", warmup=0, decay=0), progress=False)
    adam = Trainer(settings(tmp_path, optimizer="adamw", warmup=0, decay=0), progress=False)
    before = {name: weight.detach().clone() for name, weight in trainer.glow.named_parameters()}
    for _ in range(2):  # in the first step the hidden weights get no gradient: the last convolution is zero
        trainer.step(NoStop)
        adam.step(NoStop)
    weights, hidden = dict(trainer.glow.named_parameters()), 0
    for name, other in adam.glow.named_parameters():
        if name.endswith(("first.weight", "second.weight")):
            change = (weights[name] - before[name]).flatten(1)
            values = torch.linalg.svdvals(change)
            expected = MUON_RATE * 0.2 * max(change.shape) ** 0.5 * trainer.config.lr
            assert values.min() > 0.5 * expected
            assert values.max() < 1.3 * expected
            hidden += 1
        else:
            torch.testing.assert_close(weights[name], other, atol=2e-5, rtol=1e-3)
    assert hidden == 4


def test_bfloat16_is_for_the_couplings_networks_alone_while_training(tmp_path):
    trainer = Trainer(settings(tmp_path, precision="bf16"), progress=False)
    coupling = next(layer for layer in trainer.glow.modules() if isinstance(layer, Coupling))
    seen = []
    coupling.network.last.register_forward_hook(lambda layer, inputs, h: seen.append((inputs[0].dtype, h.dtype)))
    x = torch.rand(4, 3, 16, 16) - 0.5
    latents, log_det = trainer.glow(x)
    assert seen == [(torch.bfloat16, torch.bfloat16)]
    assert {eps.dtype for eps in latents} | {log_det.dtype} == {torch.float32}
    torch.testing.assert_close(trainer.glow.inverse(latents), x, atol=1e-5, rtol=0)
    plain = Trainer(settings(tmp_path, precision="float32"), progress=False)
    for _ in range(3):  # a fresh network gives zero in any precision
        trainer.step(NoStop)
    plain.average.load_state_dict(trainer.average.state_dict())
    for ours, other in zip(trainer.average(x)[0], plain.average(x)[0], strict=True):
        assert torch.equal(ours, other), "what is kept is measured in float32"
    run(settings(tmp_path / "whole", precision="bf16"))
    assert history(tmp_path / "whole")[-1]["val_bpd"] < 8


# ---- stopping and going on -----------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamax", "adamw", "muon"])
def test_resumed_run_is_the_uninterrupted_one(tmp_path, optimizer):
    config = settings(tmp_path / "whole", optimizer=optimizer, log_every=24)
    run(config)
    broken = replace(config, out=str(tmp_path / "broken"))
    stop_after(broken, 4)  # in the middle of a line of metrics
    stop_after(broken, 7, resume=True)
    run(broken, resume=True)
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
    assert len([line for line in history(tmp_path / "whole") if "bpd" in line]) == 4
    whole, _ = runs.read_run(tmp_path / "whole")
    again, _ = runs.read_run(tmp_path / "broken")
    assert whole.keys() == again.keys()
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []


def test_a_run_of_format_1_goes_on_exactly(tmp_path):
    """Format 1 had other names of tensors, and numbered the optimiser's: steps first, then splits, then the top."""
    config = settings(tmp_path / "whole")
    run(config)
    stop_after(replace(config, out=str(tmp_path / "old")), 4)
    tensors, meta = runs.read_run(tmp_path / "old")
    model, levels = Glow(config.model), config.model.levels
    names = [name_of_format_1(name, levels) for name, _ in model.named_parameters()]
    order = sorted(names, key=lambda name: ("levels", "splits", "top").index(name.partition(".")[0]))
    old = {}
    for name, value in tensors.items():
        prefix, _, rest = name.partition(".")
        if prefix == "optimizer":
            weight, _, key = rest.rpartition(".")
            old[f"optimizer.{order.index(name_of_format_1(weight, levels))}.{key}"] = value
        else:
            old[f"{prefix}.{name_of_format_1(rest, levels)}"] = value
    del meta["format"]
    checkpoint.write_state(tmp_path / "old" / runs.STATE, old, meta)
    run(replace(config, out=str(tmp_path / "old")), resume=True)
    assert history(tmp_path / "old") == history(tmp_path / "whole")


def test_metrics_later_than_the_state_are_cut_off(tmp_path):
    config = settings(tmp_path / "whole")
    run(config)
    crashed = replace(config, out=str(tmp_path / "crashed"))
    trainer = Trainer(crashed, progress=False)
    for _ in range(6):
        _, _, rate, _ = trainer.step(NoStop)
        trainer.window = [1.0, 1.0, 1]
        trainer.write_line(rate, 1.0)
        if trainer.steps == 4:
            trainer.save()
    assert len(history(tmp_path / "crashed")) == 6  # and no state after the fourth: as a power cut leaves it
    run(crashed, resume=True)
    images = [line["images"] for line in history(tmp_path / "crashed") if "bpd" in line]
    assert images == list(range(8, 97, 8))
    assert history(tmp_path / "crashed")[-1] == history(tmp_path / "whole")[-1]


def full(*args):
    raise GlowliteError("last.safetensors cannot be written: No space left on device.")


def test_a_full_disk_stops_no_run_and_saving_is_tried_again(tmp_path, monkeypatch, capsys):
    config = settings(tmp_path / "run", checkpoint_minutes=0)
    trainer = stop_after(config, 2)
    before, write, refused = (tmp_path / "run" / runs.STATE).read_bytes(), checkpoint.write_state, []

    def write_state(*args, **options):
        if trainer.steps in (3, 4):
            assert (tmp_path / "run" / runs.STATE).read_bytes() == before
            refused.append(trainer.steps)
            full()
        write(*args, **options)

    monkeypatch.setattr(checkpoint, "write_state", write_state)
    trainer = Trainer(config, resume=True, progress=False)
    assert trainer.fit(NoStop).images == 96
    assert refused == [3, 4]
    told = capsys.readouterr().err
    assert told.count("No space left on device. What was saved before is kept; the next checkpoint tries again.\n") == 2
    assert runs.read_run(tmp_path / "run")[1]["images"] == 96


def test_a_last_state_that_cannot_be_saved_is_a_mistake_and_keeps_the_one_before(tmp_path, monkeypatch):
    stop_after(settings(tmp_path), 2)
    before = (tmp_path / runs.STATE).read_bytes()
    monkeypatch.setattr(checkpoint, "write_state", full)
    with pytest.raises(GlowliteError, match="No space left on device"):
        run(settings(tmp_path), resume=True)
    assert (tmp_path / runs.STATE).read_bytes() == before


def test_two_runs_never_write_into_one_folder(tmp_path):
    with locked(tmp_path / "run"):
        for resume in (False, True):
            with pytest.raises(GlowliteError, match="Another training is at work in .*run: wait .* another --out"):
                run(settings(tmp_path / "run"), resume=resume)
    assert not (tmp_path / "run").exists()
    run(settings(tmp_path / "run", images=16))


def test_a_run_may_be_made_longer(tmp_path):
    run(settings(tmp_path))
    config = runs.continued(tmp_path, {"images": 128, "lr": 1e-3})
    assert config.lr == 1e-3
    assert run(config, resume=True).images == 128
    assert history(tmp_path)[-1]["images"] == 128


def test_other_changes_are_refused_on_resuming(tmp_path):
    run(settings(tmp_path, images=16))
    assert runs.continued(tmp_path, {"batch": 8}).batch == 8
    with pytest.raises(GlowliteError, match="batch was 8 .* cannot become 16"):
        runs.continued(tmp_path, {"batch": 16})
    with pytest.raises(GlowliteError, match="model was .* cannot become faces64"):
        runs.continued(tmp_path, {"model": PRESETS["faces64"]})


def test_a_run_is_not_overwritten_nor_resumed_from_nothing(tmp_path):
    with pytest.raises(GlowliteError, match="holds no training"):
        run(settings(tmp_path), resume=True)
    run(settings(tmp_path, images=16))
    before = (tmp_path / runs.STATE).read_bytes()
    with pytest.raises(GlowliteError, match="--resume"):
        run(settings(tmp_path))
    assert (tmp_path / runs.STATE).read_bytes() == before


def test_a_foreign_file_is_no_state(tmp_path):
    checkpoint.write_state(tmp_path / runs.STATE, {"x": torch.zeros(1)}, {"kind": "something else"})
    with pytest.raises(GlowliteError, match="not the state of a training run"):
        run(settings(tmp_path), resume=True)


def test_a_stopped_run_leaves_a_usable_model(tmp_path):
    trainer = stop_after(settings(tmp_path), 5)
    model = checkpoint.load(tmp_path / runs.MODEL)
    images = faces.draw(4, size=16, seed=3).images
    assert torch.equal(model.decode(model.encode(images)), images)
    for name, value in trainer.average.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    assert checkpoint.read_card(tmp_path / runs.MODEL)["images_seen"] == 40


# ---- pictures of a folder --------------------------------------------------------------------------


def save_faces(folder, first: int, last: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, face in enumerate(faces.draw(last, size=16, seed=0).images[first:], first):
        save_png(folder / f"{number}.png", face.permute(1, 2, 0))


@pytest.fixture
def album(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    save_faces(tmp_path / "album", 0, 24)
    return tmp_path / "album"


def test_a_run_goes_on_exactly_after_it_and_its_folder_have_moved(album, tmp_path, monkeypatch, capsys):
    config = settings(tmp_path / "whole", data=str(album))
    run(config)
    monkeypatch.chdir(tmp_path)
    stop_after(replace(config, out="run", data="album"), 4)
    (tmp_path / "other").mkdir()
    (tmp_path / "run").rename(tmp_path / "other" / "moved run")
    monkeypatch.chdir(tmp_path / "other")
    stop_after(runs.continued("moved run", {}), 6, resume=True)
    album.rename(tmp_path / "photos")
    for number, file in enumerate(sorted((tmp_path / "photos").iterdir())):
        file.rename(file.with_name(f"renamed {number}.png"))
    with pytest.raises(GlowliteError, match="album is not there"):
        run(runs.continued("moved run", {}), resume=True)
    run(runs.continued("moved run", {"data": "../photos"}), resume=True)
    assert history(tmp_path / "other" / "moved run") == history(tmp_path / "whole")
    assert "has changed" not in capsys.readouterr().err


def test_a_run_does_not_go_on_with_other_pictures(album, tmp_path):
    stop_after(settings(tmp_path / "run", data=str(album)), 4)
    save_faces(tmp_path / "others", 4, 60)
    config = runs.continued(tmp_path / "run", {"data": str(tmp_path / "others")})
    with pytest.raises(GlowliteError, match="others lacks 4 of the 24 pictures"):
        run(config, resume=True)
    with pytest.raises(GlowliteError, match="data was .*album .* cannot become faces"):
        runs.continued(tmp_path / "run", {"data": "faces"})


def test_pictures_that_are_added_leave_validation_as_it_was(album, tmp_path, capsys):
    tenth = PictureStream(faces.draw(90, size=16, seed=0).images, 8, 0).limit
    others = [i for i, digest in enumerate(digests(faces.draw(24, size=16, seed=0).images)) if digest > tenth]
    for number in set(range(24)) - set(others[:3]):
        (album / f"{number}.png").unlink()
    first = stop_after(settings(tmp_path / "run", data=str(album)), 4).stream
    assert first.limit > tenth and len(first.validation) == 1, "a limit of its own"
    save_faces(album, 0, 90)
    for added in (87, 0):
        capsys.readouterr()
        again = stop_after(runs.continued(tmp_path / "run", {}), 6 + (added == 0), resume=True).stream
        told = capsys.readouterr().err
        assert (f"has changed since this run was saved: {added} pictures are new, 0 are gone" in told) == bool(added)
        assert again.limit == first.limit
        held_out = {picture.numpy().tobytes() for picture in again.held_out(99)}
        assert all((picture.numpy().tobytes() in held_out) for picture in first.held_out(99))
        assert not any((picture.numpy().tobytes() in held_out) for picture in first.images[first.training])


def test_the_best_weights_on_few_pictures_are_kept_and_validation_comes_every_hundred_epochs(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    save_faces(tmp_path / "few", 0, 3)
    config = settings(tmp_path / "run", data=str(tmp_path / "few"), images=960, validate_every=25_000)
    assert Trainer(config, progress=False).validate_every == 100 * 2
    monkeypatch.setattr(training, "EPOCHS", 40)
    result = run(config)
    values = [(line["val_bpd"], line["images"]) for line in history(tmp_path / "run") if "val_bpd" in line]
    assert [images for _, images in values] == list(range(80, 961, 80))
    assert tuple(result.best) == min(values) and 80 < result.best[1] < 960, "they are learned by heart"
    assert checkpoint.read_card(tmp_path / "run" / runs.BEST)["images_seen"] == result.best[1]
    model, stream = checkpoint.load(tmp_path / "run" / runs.BEST), open_stream(config.data, SMALL.shape, 8, 0)
    expected = evaluation.bits_per_dim(model, stream.held_out(9), seed=training.VALIDATION).mean().item()
    assert result.best[0] == pytest.approx(expected)
    assert runs.read_run(tmp_path / "run")[1]["best"] == list(result.best)


def test_no_best_weights_are_kept_where_faces_never_end(tmp_path):
    assert run(settings(tmp_path)).best is None
    assert not (tmp_path / runs.BEST).exists()


def test_a_card_tells_how_many_pictures_were_kept_back_even_if_only_one(album, tmp_path):
    for number in range(2, 24):
        (album / f"{number}.png").unlink()
    run(settings(tmp_path / "run", data=str(album)))
    card = runs.export(tmp_path / "run", tmp_path / "model.safetensors")
    assert card["held_out"]["pictures"] == card["validation"]["pictures"] == 1
    assert card["held_out"]["spread"] is None and json.loads(json.dumps(card, allow_nan=False))
    assert card["data"] == card["training"]["data"] == "album/" and str(tmp_path) not in json.dumps(card)
    album.rename(tmp_path / "photos")
    with pytest.raises(GlowliteError, match="is not there"):
        runs.export(tmp_path / "run", tmp_path / "model.safetensors")
    assert runs.export(tmp_path / "run", tmp_path / "model.safetensors", data=str(tmp_path / "photos"))["held_out"]


# ---- numbers that are not finite -----------------------------------------------------------------


def test_a_loss_that_is_not_finite_names_the_layer_and_keeps_the_state(tmp_path):
    trainer = Trainer(settings(tmp_path), progress=False)
    trainer.step(NoStop)
    trainer.save()
    before = (tmp_path / runs.STATE).read_bytes()
    layers = trainer.glow.named_modules()
    name, layer = next((name, layer) for name, layer in layers if isinstance(layer, torch.nn.Conv2d) or "net" in name)
    layer.register_forward_hook(lambda module, inputs, output: output * math.inf)
    with pytest.raises(GlowliteError, match=rf"loss is not finite .* layer {name}\b.*last good state") as caught:
        trainer.fit(NoStop)
    assert "\n" not in str(caught.value)
    assert (tmp_path / runs.STATE).read_bytes() == before
    assert all(weight.isfinite().all() for weight in trainer.glow.parameters())


def test_a_gradient_that_is_not_finite_names_the_parameter_it_arose_at(tmp_path):
    trainer = Trainer(settings(tmp_path), progress=False)
    name, weight = list(trainer.glow.named_parameters())[5]
    weight.register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(GlowliteError, match=f"gradient is not finite .* gradient of {name}; no state"):
        trainer.fit(NoStop)
    assert all(weight.isfinite().all() for weight in trainer.glow.parameters())


def test_of_many_gradients_the_one_where_it_began_is_named(tmp_path):
    glow = Trainer(settings(tmp_path), progress=False).glow
    name, layer = next(
        (name, layer)
        for name, layer in glow.levels[1].named_modules()
        if list(layer.parameters(recurse=False)) and ".net" in name
    )
    spoil = lambda gradient: gradient * math.nan  # noqa: E731
    layer.register_forward_hook(lambda module, inputs, output: (output.register_hook(spoil), output)[1])
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    assert first_nonfinite(glow, x).startswith(f"the gradient of levels.1.{name}.")
    spoilt = [name for name, weight in glow.named_parameters() if not weight.grad.isfinite().all()]
    assert any(name.startswith("levels.0.") for name in spoilt)


def test_a_parameter_that_is_not_finite_is_named(tmp_path):
    glow = Trainer(settings(tmp_path), progress=False).glow
    name, weight = list(glow.named_parameters())[7]
    weight.data.view(-1)[0] = math.nan
    assert first_nonfinite(glow, torch.zeros(2, 3, 16, 16)) == f"the parameter {name}"


# ---- settings and what comes of a run ------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"images": 0}, "images must be more than 0"),
        ({"lr": -1.0}, "lr must be more than 0"),
        ({"lr": math.nan}, "lr must be more than 0"),
        ({"lr": math.inf}, "lr must be at most 1,000"),
        ({"decay": 1.5}, "from 0 to 1"),
        ({"batch": 10**9}, "batch must be at most 65,536"),
        ({"init_batch": 10**9}, "init_batch must be at most 65,536"),
        ({"seed": 10**23}, "seed must be from 0 to 2,147,483,647"),
        ({"ema": 10**400}, "ema must be at most"),
        ({"warmup": -1}, "warmup must be 0 or more"),
        ({"threads": 10**9}, "threads must be from 0 to 1,024"),
        ({"batch": "8"}, "batch must be a whole number, not '8'"),
        ({"images": 10.5}, "images must be a whole number"),
        ({"lr": None}, "lr must be a number, not None"),
        ({"optimizer": "sgd"}, "muon or adamw or adamax, not 'sgd'"),
        ({"batch": 9, "devices": 2}, "shared equally"),
    ],
)
def test_wrong_settings_are_refused(wrong, says):
    with pytest.raises(GlowliteError, match=says):
        settings("nowhere", **wrong)


def test_settings_survive_json_and_one_seed_rules_all():
    config = settings("nowhere", seed=7, decay=0.25)
    assert config.model.seed == 7
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(GlowliteError, match="unknown setting speed"):
        TrainConfig.from_dict(config.to_dict() | {"speed": 1})


def test_exported_card_tells_how_the_model_was_made(tmp_path):
    trainer = stop_after(settings(tmp_path / "run", seed=3), 5)
    card = runs.export(tmp_path / "run", tmp_path / "model.safetensors", count=12)
    assert card == {k: v for k, v in checkpoint.read_card(tmp_path / "model.safetensors").items() if k in card}
    assert (card["images_seen"], card["seed"], card["data"]) == (40, 3, "faces")
    assert card["seconds"] == round(trainer.seconds, 1)
    assert card["machine"]["cores"] >= 1
    assert card["versions"]["torch"] == torch.__version__
    model = checkpoint.load(tmp_path / "model.safetensors")
    expected = evaluation.bits_per_dim(model, held_out("faces", SMALL.shape, 12))
    assert card["held_out"]["bits_per_dim"] == pytest.approx(expected.mean().item(), abs=1e-4)
    assert card["held_out"]["pictures"] == 12
