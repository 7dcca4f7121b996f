"""Files: written whole, read without pickle, refused with a sentence when they are not what they say."""

import pytest
import torch
from safetensors.torch import save_file

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
