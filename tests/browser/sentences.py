"""The sentences that explorers say, once more in Python, for tests that compare them with a page's."""

from collections.abc import Mapping, Sequence

from glowlab.web.tables import WORDINGS

ALONG = {"pixels": "mixed as pixels", "linear": "along the straight line", "spherical": "along the arc"}


def change(name: str, amount: float) -> str:
    """Words for the change of an attribute by `amount` (slider units); empty where it is hardly seen."""
    if abs(amount) < 0.1:
        return ""
    adverb = "slightly " if abs(amount) < 0.35 else "much " if abs(amount) > 0.8 else ""
    plain = name.replace("_", " ")
    *_, less, more = WORDINGS.get(name, ["", "", f"{{}}less {plain}", f"{{}}more {plain}"])
    return (more if amount > 0 else less).format(adverb)


def listing(items: list[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def describe(start: str, amounts: Mapping[str, float], partner: str = "", blend: float = 0.0) -> str:
    """One sentence: the face, its edits, the face it is blended with."""
    changes = [words for name, amount in amounts.items() if (words := change(name, amount))]
    text = start[:1].upper() + start[1:]
    if partner:
        text += (
            f", blended {round(100 * blend)} % with {partner}"
            if blend < 0.995
            else f", turned all the way into {partner}"
        )
    if changes:
        text += (", then given " if partner else " with ") + listing(changes)
    elif not partner:
        text += ", unchanged"
    return text + "."


def describe_stop(first: str, second: str, t: float, way: str, moving: Sequence[bool], temperature: float) -> str:
    """One sentence on the picture at t of a way between two faces."""
    whole = way == "pixels" or all(moving)
    where = f"{round(100 * t)} % of the way from {first} to {second}"
    text = f"{where[0].upper()}{where[1:]}, {ALONG[way]}. Its effective temperature is {temperature:.2f}."
    if not whole:
        still = [str(i) for i, moves in enumerate(moving, 1) if not moves]
        text += f" Level{'s' * (len(still) > 1)} {', '.join(still)} stayed as in {first}."
    return text


def describe_angle(angle: float, middle: float) -> str:
    """One sentence on the degrees between two faces' latents, and the temperature half-way on their straight line."""
    return f"These two stand at {angle:.0f}°: half-way on their straight line the temperature is {middle:.2f}."
