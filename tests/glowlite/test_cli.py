"""The command line: each command once for real, and what a person reads after a mistake."""

import dataclasses
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image

from glowlite import checkpoint, cli, evaluation
from glowlite.data import faces, labelled
from glowlite.training import config as runs
from glowlite.training import metrics
from glowlite.training.stream import test_pictures as held_out
from tests.helpers import glowlite

TRAIN = [
    "--preset",
    "tiny",
    "--batch",
    "8",
    "--init-batch",
    "32",
    "--validation-count",
    "8",
    "--warmup",
    "50",
]
TRAIN += ["--threads", "1", "--accelerator", "cpu", "--quiet"]
ROOT = Path(__file__).parents[2]


def process(*arguments, **options) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def sheet_of(path) -> torch.Tensor:
    """A PNG as uint8 (3, H, W)."""
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "run"
    assert glowlite("train", *TRAIN, "--images", 320, "--seed", 5, "--out", out) == 0
    return out


@pytest.fixture(scope="module")
def model_path(run_folder):
    return run_folder / runs.MODEL


# ---- the commands --------------------------------------------------------------------------------


def test_help_answers_without_loading_torch():
    code = "import sys, glowlite.cli as c\ntry: c.main(['--help'])\nfinally: print('torch' in sys.modules)"
    told, _ = process("-c", code).communicate()
    for command in ("train", "evaluate", "sample", "faces", "align", "export", "directions", "card"):
        assert f"\n  {command} " in told
    assert told.strip().endswith("False")


def test_options_of_train_are_the_settings_of_a_run():
    fields = {field.name: field for field in dataclasses.fields(runs.TrainConfig)}
    options = {option.name: option for option in typer.main.get_command(cli.app).commands["train"].params}
    assert set(fields) - set(options) == {"model"} and set(options) - set(fields) == {"preset", "resume", "quiet"}
    for name in set(fields) - {"model", "out"}:
        assert options[name].default == fields[name].default and options[name].help == fields[name].metadata["help"]
    told, _ = process("-m", "glowlite", "train", "--help").communicate()
    assert "Images to see in all; may grow on --resume. [default: 1000000]" in " ".join(told.split())


def test_train_leaves_state_metrics_and_model(run_folder):
    state, meta = runs.read_run(run_folder)
    assert meta["images"] == 320
    assert meta["train"]["seed"] == meta["train"]["model"]["seed"] == 5
    lines = metrics.read_metrics(run_folder / runs.METRICS)
    assert lines[-1]["val_bpd"] == meta["val_bpd"]
    assert checkpoint.load(run_folder / runs.MODEL).config.seed == 5


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals for one process")
@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_ctrl_c_saves_says_how_to_go_on_and_resumes(tmp_path, name):
    out, number = tmp_path / "my 'first' run", getattr(signal, name)
    running = process("-m", "glowlite", "train", *TRAIN, "--images", 10**7, "--log-every", 8, "--out", out)
    try:
        for _ in range(3000):
            if len(metrics.read_metrics(out / runs.METRICS)) > 2 or running.poll() is not None:
                break
            time.sleep(0.1)
        running.send_signal(number)
        _, told = running.communicate(timeout=300)
    finally:
        running.kill()
    assert running.returncode == 128 + number, told
    command = shlex.split(told.partition("To go on: ")[2])
    assert command == ["glowlite", "train", "--resume", "--out", str(out)], told
    assert "Traceback" not in told
    seen = runs.read_run(out)[1]["images"]
    assert seen >= 16
    assert glowlite(*command[1:], "--images", seen + 16, "--quiet") == 0
    assert runs.read_run(out)[1]["images"] == seen + 16


def test_training_on_a_folder_of_pictures_and_measuring_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, picture in enumerate(faces.draw(30, size=20, seed=0).images):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{number:02}.png")
    assert glowlite("train", *TRAIN, "--images", 32, "--data", folder, "--out", tmp_path / "run") == 0
    model = tmp_path / "folder.safetensors"
    assert glowlite("export", tmp_path / "run", "--name", model) == 0
    card = checkpoint.read_card(model)
    assert card["held_out"]["pictures"] == card["validation"]["pictures"] < 9, "about a tenth, which no batch contained"
    assert glowlite("evaluate", model, "--data", folder) == 0
    assert "30 pictures" in capsys.readouterr().out


def test_evaluate_puts_the_model_beside_the_codecs(model_path, capsys):
    assert glowlite("evaluate", model_path, "--count", 20, "--device", "cpu") == 0
    told = capsys.readouterr().out
    images = held_out("faces", (3, 16, 16), 20)
    model = evaluation.bits_per_dim(checkpoint.load(model_path), images).mean().item()
    rows = {line[:20].strip(): line[20:].split() for line in told.splitlines()}
    assert float(rows["model"][0]) == pytest.approx(model, abs=1e-3)
    for label, codec in (("PNG, optimised", "png"), ("WebP, lossless", "webp")):
        assert float(rows[label][0]) == pytest.approx(
            evaluation.codec_bits_per_dim(images, codec).mean().item(), abs=1e-3
        )
    assert told.startswith("20 pictures (faces), 3 x 16 x 16, 8 bits")


def test_evaluate_on_a_code_page_without_plus_or_minus(model_path, monkeypatch):
    page = io.TextIOWrapper(io.BytesIO(), encoding="cp866", write_through=True)
    with monkeypatch.context() as console:
        console.setattr(sys, "stdout", page)
        assert glowlite("evaluate", model_path, "--count", 2, "--device", "cpu") == 0
    told = page.buffer.getvalue()
    assert b"mean ? standard error" in told and b"ideal coder" in told


def test_sample_is_the_same_for_the_same_seed(model_path, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.png"
        assert glowlite("sample", model_path, "--count", 4, "--seed", seed, "--temperature", 0.5, "--out", out) == 0
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c
    assert min(sheet_of(tmp_path / "a.png").shape[1:]) >= 32


def test_faces_are_drawn_as_asked(tmp_path):
    assert glowlite("faces", "--count", 6, "--size", 16, "--seed", 4, "--out", tmp_path / "faces.png") == 0
    picture = sheet_of(tmp_path / "faces.png")
    first = faces.draw(6, size=16, seed=4).images[0]
    windows = picture.unfold(1, 16, 1).unfold(2, 16, 1)  # (3, rows, columns, 16, 16)
    assert bool((windows == first[:, None, None]).all(-1).all(-1).all(0).any()), "the first face is not on the sheet"


def test_photographs_are_aligned_and_what_could_not_be_is_listed(tmp_path, capsys):
    for number, face in enumerate(faces.draw(4, size=80, seed=0).images):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(face.permute(1, 2, 0).numpy()).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "photos" / "3.png").write_bytes(b"none")
    table = "file,left_x,left_y,right_x,right_y\n0.png,24,22,56,22\n1.png,5,20,75,20\n3.png,20,20,60,20\n"
    (tmp_path / "eyes.csv").write_text(table)
    arguments = ["align", tmp_path / "photos", "--out", tmp_path / "crops", "--eyes", tmp_path / "eyes.csv"]
    assert glowlite(*arguments, "--size", 32) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'crops'}: 2 of 4 pictures aligned, 32 x 32\n"
    assert told.err.startswith("1.png: 72% of the crop lies beyond the picture's edges.\n")
    assert "2.png: its eyes are not in the table.\n3.png: 3.png is not a picture that can be read" in told.err
    assert sheet_of(tmp_path / "crops" / "0.png").shape == (3, 32, 32)
    assert sorted(file.name for file in (tmp_path / "crops").iterdir()) == ["0.png", "1.png"]


def test_directions_are_kept_beside_the_model(model_path, monkeypatch):
    monkeypatch.setattr(labelled, "FACES", 128)  # a good meter needs more, and a minute
    assert glowlite("directions", model_path, "--count", 64, "--batch", 32) == 0
    found = checkpoint.load_directions(model_path)
    assert list(found) == list(faces.ATTRIBUTES)
    shapes = checkpoint.load(model_path).latent_shapes
    assert all([tuple(step.shape[1:]) for step in steps] == list(shapes) for steps in found.values())
    facts = checkpoint.read_state(checkpoint.directions_path(model_path))[1]
    assert (facts["data"], facts["count"], facts["parted"]) == ("faces", 64, True)


def test_directions_of_a_data_set_of_ones_own(model_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    images, attributes = faces.draw(40, 16, seed=5)
    np.savez(tmp_path / "mine.npz", train_images=images.permute(0, 2, 3, 1), train_beard=attributes["beard"])
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model_path.read_bytes())
    assert glowlite("directions", copy, "--data", "mine", "--no-part") == 0
    assert list(checkpoint.load_directions(copy)) == ["beard"]
    assert glowlite("directions", copy, "--data", "fairface64") == 2
    assert "no data set 'fairface64'" in capsys.readouterr().err
    assert glowlite("directions", copy, "--data", tmp_path) == 2
    assert "--csv" in capsys.readouterr().err


def test_export_and_card(run_folder, tmp_path, capsys):
    out = tmp_path / "mine.safetensors"
    facts = ("--credit", "Nobody", "--licence", "MIT", "--data-licence", "CC0")
    assert glowlite("export", run_folder, "--name", out, "--count", 8, *facts) == 0
    capsys.readouterr()
    assert glowlite("card", out) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["images_seen"] == 320
    assert card["held_out"]["pictures"] == 8
    assert (card["credit"], card["licence"], card["data_licence"]) == ("Nobody", "MIT", "CC0")


def test_evaluate_takes_the_data_that_the_card_names_but_no_folder(model_path, tmp_path, capsys):
    card = json.loads(model_path.with_suffix(".json").read_text())
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model_path.read_bytes())
    copy.with_suffix(".json").write_text(json.dumps(card | {"data": "cifar11"}))
    assert glowlite("evaluate", copy, "--count", 4) == 2
    assert "no data set 'cifar11'" in capsys.readouterr().err
    copy.with_suffix(".json").write_text(json.dumps(card | {"data": str(tmp_path)}))
    assert glowlite("evaluate", copy, "--count", 4) == 2
    assert "name other pictures with --data" in capsys.readouterr().err


def test_export_by_name_goes_where_load_finds_it(run_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path)
    assert glowlite("export", run_folder, "--name", "mine", "--count", 8) == 0
    assert checkpoint.load("mine").config.seed == 5


def test_export_to_a_path_stays_beside_the_run(run_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    for name in ("runs/x/final", "./final", "runs/v1.5"):
        assert glowlite("export", run_folder, "--name", name, "--count", 2) == 0
        assert checkpoint.load(f"{name}.safetensors").config.seed == 5
    assert not (tmp_path / "package").exists()


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--preset", "face64", "--out", "x"], "Did you mean faces64? The presets are tiny"),
        (["train", "--preset", "qqq", "--out", "x"], "The presets are tiny"),
        (["train", "--preset", "tiny", "--out", "x", "--lr", "-1"], "lr must be more than 0"),
        (["train", "--preset", "tiny", "--out", "x", "--accelerator", "abacus"], "accelerator must be"),
        (["train", "--preset", "mnist", "--out", "x"], "square and in colour"),
        (["train", "--resume", "--out", "x"], "holds no training"),
        (["train", "--preset", "tiny", "--out", "x", "--data", "cifar11"], "cifar11"),
        (["export", "x", "--name", "y"], "holds no training"),
        (["evaluate", "nothing"], "there is no model 'nothing'"),
        (["sample", "nothing"], "there is no model 'nothing'"),
        (["card", "nothing"], "there is no model 'nothing'"),
        (["faces", "--count", "1", "--out", "."], "glowlite: "),
        (["faces", "--count", "1", "--out", "x" * 300], "File name too long"),
        (["train", "--preset", "tiny", "--out", "x" * 300], "File name too long: xxx"),
        (["train", "--preset", "tiny", "--out", __file__], "File exists: "),
        (["train", "--preset", "tiny", "--out", f"{__file__}/run"], "Not a directory: "),
        (["train", "--preset", "tiny", "--out", "x", "--seed", str(10**23)], "seed must be from 0 to 2,147,483,647"),
        (["train", "--preset", "tiny", "--out", "x", "--batch", str(10**9)], "batch must be at most 65,536"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert glowlite(*arguments) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.startswith("glowlite: ")
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "a mistake leaves nothing behind"


def test_an_option_that_is_no_option_is_refused(capsys):
    assert glowlite("sample", "faces64", "--temprature", 1) == 2
    assert "--temperature" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_training_on_a_gpu_that_is_not_there(tmp_path, capsys):
    assert glowlite("train", "--preset", "tiny", "--out", tmp_path / "run", "--accelerator", "gpu") == 2
    told = capsys.readouterr().err
    assert told.startswith("glowlite: Cannot train on 1 x gpu: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_a_device_that_is_not_there(device, model_path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert glowlite("sample", model_path, "--device", device) == 2
    assert f"The device '{device}' cannot be used here: try cpu." in capsys.readouterr().err


def test_files_that_cannot_be_read_or_written(monkeypatch, capsys):
    for error in (
        PermissionError(13, "Permission denied", "runs/x"),
        FileNotFoundError(2, "No such file", "runs/x"),
    ):

        def broken(*args, error=error, **options):
            raise error

        monkeypatch.setattr(checkpoint, "read_card", broken)
        assert glowlite("card", "faces64") == 2
        assert capsys.readouterr().err == f"glowlite: {error.strerror}: runs/x\n"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 300. GiB for an array"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried to"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    ],
)
def test_too_little_memory_is_one_sentence(monkeypatch, capsys, error):
    def broken(*args):
        raise error

    monkeypatch.setattr(checkpoint, "read_card", broken)
    assert glowlite("card", "faces64") == 2
    told = capsys.readouterr().err
    assert told.startswith("glowlite: There is not enough memory for this: choose fewer") and told.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("a bug"), RuntimeError("a bug"), OSError("a bug")])
def test_a_fault_of_our_own_is_not_hidden(monkeypatch, error):
    def broken(*args):
        raise error

    monkeypatch.setattr(checkpoint, "read_card", broken)
    with pytest.raises(type(error), match="a bug"):
        glowlite("card", "faces64")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3590, "1 h 0 min"), (11100, "3 h 5 min")],
)
def test_durations(seconds, said):
    assert cli.duration(seconds) == said
