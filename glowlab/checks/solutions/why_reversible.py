"""Answers to the exercises of notebook 00."""

import torch

from glowlite.data.pictures import read_picture


def there_and_back(file, model):
    size = model.config.shape[-1]  # 64: this model knows pictures of one size
    picture = read_picture(file, size)[None]  # (1, 3, 64, 64): a batch of one
    latents = model.encode(picture)
    back = model.decode(latents)
    return picture, back


def is_reversible(f):
    every_byte = torch.arange(256, dtype=torch.uint8)
    different = f(every_byte).unique()
    return len(different) == 256  # no two bytes share an output


def unmix(left, mixed, f):
    right = mixed - f(left)  # left is as it was, so f gives what was added
    return left, right
