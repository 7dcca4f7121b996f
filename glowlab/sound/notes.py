"""Short synthetic notes whose attributes are known, meters of their sound, and a way to hear them.

A note is a row of 2,048 samples of 8 bits, half a second at 4,000 samples a second: uint8 (B, 1, 1, 2048), a picture
of one row.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from glowlite import pixels

RATE, LENGTH, CENTRE = 4000, 2048, 250.0  # samples a second, samples of a note, Hz of its middle pitch
HARMONICS = 6
ATTRIBUTES = ("pitch", "loudness", "brightness", "attack")
REACH = (200.0, 6.0, 1.0, 1.6)  # cents, dB, power of the harmonics' fall, log2 of the attack: for an attribute of 1
PIECE = 32  # samples, 8 ms, of which a meter takes the power


class Notes(NamedTuple):
    """notes uint8 (B, 1, 1, LENGTH); attributes (B, 4) from -1 to 1, in the order of ATTRIBUTES."""

    notes: Tensor
    attributes: Tensor


def draw(count: int, seed: int = 0) -> Notes:
    """`count` notes with random attributes and random phases, and a little noise.

    >>> draw(2).notes.shape
    torch.Size([2, 1, 1, 2048])
    """
    generator = torch.Generator().manual_seed(seed)
    attributes = 2 * torch.rand(count, len(ATTRIBUTES), generator=generator) - 1
    return Notes(play(attributes, generator), attributes)


def play(attributes: Tensor, generator: torch.Generator) -> Tensor:
    """The notes of these attributes (B, 4): uint8 (B, 1, 1, LENGTH); phases and noise come from the generator.

    Harmonic k has the strength k^-p; the note rises as 1 - exp(-t / attack).
    """
    cents, loudness, brightness, attack = (attributes * torch.tensor(REACH)).unsqueeze(2).unbind(1)  # (B, 1) each
    time = torch.arange(LENGTH) / RATE
    strength = torch.arange(1, HARMONICS + 1) ** (brightness - 1.5)
    strength = 0.2 * 10 ** (loudness / 20) * strength / strength.norm(dim=1, keepdim=True)
    phase = 2 * math.pi * torch.rand(len(attributes), HARMONICS, generator=generator)
    wave = 0.004 * torch.randn(len(attributes), LENGTH, generator=generator)
    for k in range(HARMONICS):
        turns = (k + 1) * CENTRE * 2 ** (cents / 1200) * time
        wave += strength[:, k : k + 1] * torch.sin(2 * math.pi * turns + phase[:, k : k + 1])
    wave *= 1 - torch.exp(-time / (0.02 * 2**attack))
    return pixels.to_uint8(wave / 2)[:, None, None]


def to_wave(notes: Tensor) -> Tensor:
    """uint8 notes -> float64 (B, LENGTH) between -1 and 1, the middle of each step."""
    return 2 * pixels.to_float(notes)[:, 0, 0].double()


def pitch(notes: Tensor) -> Tensor:
    """Cents above CENTRE, (B,): the highest peak of the spectrum between 170 and 370 Hz, a parabola through its top."""
    wave = to_wave(notes)[:, 256:]
    size = 1 << 15
    spectrum = torch.fft.rfft(wave * torch.hann_window(wave.shape[1], dtype=wave.dtype), size).abs().clamp_min(1e-9)
    low, high = (round(hertz * size / RATE) for hertz in (170, 370))
    peak = spectrum[:, low:high].argmax(1) + low
    before, at, after = (spectrum.gather(1, (peak + step)[:, None])[:, 0].log() for step in (-1, 0, 1))
    hertz = (peak + (before - after) / (2 * (before - 2 * at + after))) * RATE / size
    return 1200 * torch.log2(hertz / CENTRE)


def measure(notes: Tensor) -> dict[str, Tensor]:
    """What a meter hears, (B,) each: pitch in cents, loudness in dB, brightness and attack.

    brightness: the mean number of a harmonic, weighted by strength. attack: ms, the area above the rising outline,
    which for 1 - exp(-t / attack) is the attack.
    """
    wave = to_wave(notes)
    late = wave[:, LENGTH // 2 :]
    cents = pitch(notes)
    spectrum = torch.fft.rfft(late * torch.hann_window(late.shape[1], dtype=late.dtype)).abs()
    place = torch.arange(1, HARMONICS + 1) * CENTRE * 2 ** (cents[:, None] / 1200) * late.shape[1] / RATE  # (B, K)
    near = (place.round().long()[..., None] + torch.arange(-2, 3)).flatten(1)
    strength = spectrum.gather(1, near).square().view(*place.shape, 5).sum(2).sqrt()
    size = wave.square().view(len(wave), -1, PIECE).mean(2).sqrt()  # (B, 64): the note's outline
    missing = 1 - size / size[:, 32:].mean(1, keepdim=True)
    return {
        "pitch": cents,
        "loudness": 20 * late.square().mean(1).sqrt().log10(),
        "brightness": (strength * torch.arange(1, HARMONICS + 1)).sum(1) / strength.sum(1),
        "attack": missing.sum(1) * PIECE * 1000 / RATE,
    }


def audio(note: Tensor, rate: int = 8000):
    """A note, or several (B, 1, 1, LENGTH) one after another, to be heard in a notebook, at twice its rate."""
    from IPython.display import Audio

    spectrum = torch.fft.rfft(torch.nn.functional.pad(to_wave(note.reshape(-1, 1, 1, LENGTH)), (0, LENGTH // 4)))
    sound = torch.fft.irfft(spectrum, 2 * (LENGTH + LENGTH // 4)) * 2
    return Audio(sound.flatten().clamp(-1, 1).numpy() * 0.9, rate=rate, normalize=False)
