"""Charts that several notebooks draw."""

import math
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from glowlab.figures import style
from glowlab.figures.colours import PALETTE
from glowlite.latents import flatten

REACH = 6.0  # values from -REACH to REACH are drawn; the share beyond is written on the chart


def against_normal(latents: Mapping[str, list[Tensor]], alt: str = "") -> style.Shown:
    """Histograms of latents, one panel for each name, with the standard normal density drawn over them.

    latents: name -> the latents of `Glow.encode`; all levels and all pictures of the batch are counted together.
    """
    made, axes = style.figure(style.WIDTH, 2.5, 1, len(latents), squeeze=False, sharey=True)
    z = np.linspace(-REACH, REACH, 301)
    normal = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    for ax, (name, levels) in zip(axes[0], latents.items(), strict=True):
        values = flatten(levels).flatten().cpu().numpy()
        edges = np.linspace(-REACH, REACH, 61)
        heights = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
        ax.stairs(heights, edges, fill=True, color=PALETTE["z"], alpha=0.55)
        ax.plot(z, normal, color=style.INK, lw=2)
        ax.set(title=name, xlabel="value of a number in z", yticks=[])
        ax.spines["left"].set_visible(False)
        beyond = (abs(values) > REACH).mean()
        if beyond > 0.005:
            ax.text(REACH, 0.12, f"{beyond:.0%} lie\nbeyond", fontsize=11, ha="right")
    axes[0, -1].text(1.4, 0.3, "standard\nnormal", fontsize=11, va="center")
    return style.show(made, alt or f"Histograms of the latents of {', '.join(latents)} beside the standard normal.")
