"""Files: written whole, read without pickle, refused with a sentence when they are not what they say."""

import json
import math
import os
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

from glowlite import checkpoint
from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS, Glow
from tests.helpers import name_of_format_1


@pytest.fixture
def model():
    model = Glow(PRESETS["tiny"])
    model.initialize(torch.rand(16, 3, 16, 16) - 0.5)
    return model.eval()


@pytest.fixture
def saved(model, tmp_path):
    return checkpoint.save(tmp_path / "mine", model, {"images_seen": 12})


def test_a_model_comes_back_with_its_card(model, saved):
    again = checkpoint.load(saved)
    assert not again.training and again.config == model.config
    images = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    assert torch.equal(again.log_prob(images), model.log_prob(images))
    card = checkpoint.read_card(saved)
    assert card["images_seen"] == 12 and card["parameters"] == sum(p.numel() for p in model.parameters())


def test_unknown_name_lists_what_ships():
    with pytest.raises(GlowliteError, match="no model 'faces65'.*those that ship"):
        checkpoint.load("faces65")


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_a_damaged_file_is_refused(saved, cut):
    content = saved.read_bytes()
    saved.write_bytes(content[:cut])
    with pytest.raises(GlowliteError, match="sha256"):
        checkpoint.load(saved)
    saved.with_suffix(".json").unlink()
    with pytest.raises(GlowliteError, match="damaged"):
        checkpoint.load(saved)


def test_one_flipped_byte_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(content)
    with pytest.raises(GlowliteError, match="sha256"):
        checkpoint.load(saved)


def test_a_file_of_format_1_loads(model, tmp_path):
    old = {name_of_format_1(name, 2): value for name, value in model.state_dict().items()}
    assert {name.partition(".")[0] for name in old} == {"levels", "splits", "top"}
    checkpoint.write_state(tmp_path / "old.safetensors", old, {"config": model.config.to_dict()})
    images = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    assert torch.equal(checkpoint.load(tmp_path / "old.safetensors").log_prob(images), model.log_prob(images))


def test_foreign_and_mismatched_files_are_refused(model, tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(GlowliteError, match="not written by glowlite"):
        checkpoint.load(tmp_path / "foreign.safetensors")
    checkpoint.write_state(tmp_path / "state.safetensors", {"weight": torch.zeros(3)}, {})
    with pytest.raises(GlowliteError, match="no configuration"):
        checkpoint.load(tmp_path / "state.safetensors")
    wrong = {**model.config.to_dict(), "width": 32}
    checkpoint.write_state(tmp_path / "wrong.safetensors", model.state_dict(), {"config": wrong})
    with pytest.raises(GlowliteError, match="do not fit"):
        checkpoint.load(tmp_path / "wrong.safetensors")


def test_a_pickle_is_never_opened(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "pickle.safetensors")
    with pytest.raises(GlowliteError, match="no safetensors file"):
        checkpoint.load(tmp_path / "pickle.safetensors")


def test_a_broken_card_is_named(saved):
    saved.with_suffix(".json").write_text("{")
    with pytest.raises(GlowliteError, match="not valid JSON"):
        checkpoint.load(saved)


def test_directions_belong_to_their_weights(model, saved):
    steps = {"smile": [torch.randn(1, *shape) for shape in model.latent_shapes]}
    with pytest.raises(GlowliteError, match="no directions"):
        checkpoint.load_directions(saved)
    checkpoint.save_directions(saved, steps)
    again = checkpoint.load_directions(saved)
    assert list(again) == ["smile"]
    assert all(torch.allclose(a, b, atol=1e-2) for a, b in zip(again["smile"], steps["smile"], strict=True))
    with torch.no_grad():
        model.levels[-1].split.mean.add_(1)
    checkpoint.save(saved, model, {})
    with pytest.raises(GlowliteError, match="other weights"):
        checkpoint.load_directions(saved)


def damage(content: bytes, dice: random.Random) -> bytes:
    """The content with one place changed: a bit, a byte, 16 bytes, a cut, or a piece that is there twice."""
    place, kind = dice.randrange(len(content)), dice.randrange(5)
    if kind == 3:
        return content[:place]
    if kind == 4:
        return content[:place] + content[max(0, place - 9) :]
    new = [bytes([content[place] ^ 1 << dice.randrange(8)]), dice.randbytes(1), dice.randbytes(16)][kind]
    return content[:place] + new + content[place + len(new) :]


@pytest.mark.parametrize("with_card", [True, False])
def test_every_damage_of_a_model_is_refused_in_a_sentence(saved, with_card):
    """With a card and without: the file has a checksum of its own."""
    whole, dice = saved.read_bytes(), random.Random(0)
    if not with_card:
        saved.with_suffix(".json").unlink()
    header = int.from_bytes(whole[:8], "little") + 8
    for trial in range(100):
        part = header if trial % 2 else len(whole)  # in the header half of the time
        content = damage(whole[:part], dice) + whole[part:]
        if content == whole:
            continue
        saved.write_bytes(content)
        with pytest.raises(GlowliteError) as caught:
            checkpoint.load(saved)
        assert "\n" not in str(caught.value) and saved.name in str(caught.value)


def test_a_damaged_card_is_refused_or_changes_no_weight(model, saved):
    """What is left harms nothing: a card describes, and the weights have a checksum of their own."""
    path, dice = saved.with_suffix(".json"), random.Random(0)
    whole, refused = path.read_bytes(), 0
    images = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    wanted = model.log_prob(images)
    for _ in range(100):
        path.write_bytes(damage(whole, dice))
        try:
            assert isinstance(checkpoint.read_card(saved), dict)
            assert torch.equal(checkpoint.load(saved).log_prob(images), wanted)
        except GlowliteError as error:
            refused += 1
            assert "\n" not in str(error) and "mine" in str(error)
    assert refused > 50


@pytest.mark.parametrize("text", ["[]", "null", "7", '"card"', "[" * 100_000, "\xff", "1" * 5000, ""])
def test_a_card_that_is_no_object_is_refused(saved, text):
    saved.with_suffix(".json").write_text(text, encoding="latin-1")
    for read in (checkpoint.read_card, checkpoint.load):
        with pytest.raises(GlowliteError, match="not valid JSON"):
            read(saved)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_card_holds_no_number_that_is_no_json(model, tmp_path, number):
    path = checkpoint.save(tmp_path / "mine", model, {"held_out": {"spread": number, "all": [number, 1.5]}})
    text = path.with_suffix(".json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert checkpoint.read_card(path)["held_out"] == {"spread": None, "all": [None, 1.5]}
    path.with_suffix(".json").write_text(text.replace("null", json.dumps(number)))  # as cards were written before
    assert checkpoint.read_card(path)["held_out"] == {"spread": None, "all": [None, 1.5]}
    assert checkpoint.load(path).config == model.config


WRONG = {
    "levels": [10**9, 0, -1, 2.0, "2", None, [2], True, 10**400],
    "depth": [10**9, 60_000, 0, [1], [2, "2"], [2, 10**9], None, 1.5, {}],
    "width": [40_000, 10**9, 10**30, -3, [16, [16]], "16", [16.0, 16]],
    "shape": [[3, 16], [3, 2**40, 2**40], 16, [], [3, 16, "16"], None, [3, 16, 16, 1]],
    "coupling": [None, ["affine"], 3, "", {}],
    "permutation": [["lu"], {}, "plain", 0],
    "scale": [{}, None, "x"],
    "n_bits": ["8", 8.0, [], None, 99],
    "clamp": ["5", None, math.inf, math.nan, -1, [5.0]],
    "edge": [1, "yes", None, True],
    "seed": [1.5, "0", None],
    "unknown": [1],
}


class NothingLarge(TorchDispatchMode):
    """Fails where a tensor of more than 100,000 numbers is made, other than one without memory."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (list, tuple)) else [made]:
            assert not isinstance(tensor, torch.Tensor) or tensor.is_meta or tensor.numel() < 100_000
        return made


@pytest.mark.parametrize("name, value", [(name, value) for name, values in WRONG.items() for value in values])
def test_a_configuration_that_cannot_be_is_refused_before_anything_is_allocated(model, tmp_path, name, value):
    path, config = tmp_path / "mine.safetensors", model.config.to_dict()
    checkpoint.write_state(path, model.state_dict(), {"config": {**config, name: value}, "format": checkpoint.FORMAT})
    with pytest.raises(GlowliteError) as caught, NothingLarge():
        checkpoint.load(path)
    assert "mine.safetensors" in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 1500


def test_a_file_without_a_checksum_is_read_as_before(model, tmp_path):
    """As those that ship: their cards hold the checksum."""
    path = tmp_path / "old.safetensors"
    meta = json.dumps({"config": model.config.to_dict(), "format": 2})
    save_file(model.state_dict(), path, metadata={"glowlite": meta})
    assert checkpoint.load(path).config == model.config
    for text in ("[]", "7", "{", "", "0" * 64 + meta, "{}" + "x" * 100):
        save_file(model.state_dict(), path, metadata={"glowlite": text})
        with pytest.raises(GlowliteError, match="damaged"):
            checkpoint.load(path)


def test_a_file_that_was_read_is_not_mapped(saved):
    """Windows refuses to replace a mapped file; Linux tells which files are mapped."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not tell what is mapped")
    tensors, _ = checkpoint.read_state(saved)
    again = checkpoint.load(saved)
    assert saved.name not in maps.read_text() and len(tensors) == len(again.state_dict())


def test_directions_that_do_not_fit_their_names_are_refused(model, saved):
    path = checkpoint.save_directions(saved, {"smile": [torch.zeros(1, *shape) for shape in model.latent_shapes]})
    tensors, meta = checkpoint.read_state(path)
    for names in (["frown"], [], 7, [["smile"]], ["smile", "age"]):
        checkpoint.write_state(path, tensors, {**meta, "names": names})
        with pytest.raises(GlowliteError, match="damaged; make it again"):
            checkpoint.load_directions(saved)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".safetensors", "a\0b", "", "."])
def test_a_name_that_no_file_can_have_is_no_model(name):
    with pytest.raises(GlowliteError, match="no model"):
        checkpoint.load(name)


@pytest.mark.parametrize("moved", [0, 1])
def test_who_is_killed_while_saving_leaves_no_card_beside_other_weights(tmp_path, monkeypatch, moved):
    class Killed(BaseException):
        pass

    def replace(source, target, replace=os.replace):
        calls.append(target)
        if len(calls) > moved:
            raise Killed
        replace(source, target)

    calls, config = [], PRESETS["tiny"]
    path = checkpoint.save(tmp_path / "model", Glow(config), {"data": "old"})
    monkeypatch.setattr(os, "replace", replace)
    other = Glow(config)
    other.levels[0].split.prior.b.data += 1
    with pytest.raises(Killed):
        checkpoint.save(path, other, {"data": "new"})
    assert checkpoint.load(path).levels[0].split.prior.b.mean() == moved
    assert checkpoint.read_card(path, required=False) == {}
