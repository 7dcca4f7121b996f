"""Formulas as MathML, which browsers draw without scripts or fonts, and which screen readers read aloud."""

import re
from html import unescape
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import convert_to_element

from glowlite.errors import GlowliteError

THIN = "0.167em"
DIGITS = re.compile(r"\d+(?:\{,\}\d{3})+")  # 12{,}288 is one number, not a list of two
# Browsers draw letter styles only where Unicode has letters of that style.
BLACKBOARD = {letter: chr(0x1D538 + ord(letter) - 65) for letter in "ABDEFGIJKLMOSTUVWXY"}
BLACKBOARD |= dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
SCRIPT = {letter: chr(0x1D49C + ord(letter) - 65) for letter in "ACDGJKNOPQSTUVWXYZ"}
SCRIPT |= dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True))
LETTERS = {"double-struck": BLACKBOARD, "script": SCRIPT}
BARS, OPENING = ("|", "∥"), ("(", "[", "{")


def to_mathml(latex: str, display: bool = False) -> str:
    """LaTeX, without its dollar signs, as a <math> element; `display`: on a line of its own.

    GlowliteError if it has an unknown command, so that no page shows one.
    """
    source = DIGITS.sub(lambda found: rf"\text{{{found[0].replace('{,}', ',')}}}", latex.strip())
    if source.count("{") != source.count("}"):
        raise GlowliteError(f"this formula's braces do not match: ${latex}$")
    try:
        made = convert_to_element(source, display="block" if display else "inline")
    except Exception as error:
        raise GlowliteError(f"this formula cannot be read: ${latex}$ ({error})") from error
    for element in made.iter():
        element.text = unescape(element.text) if element.text else None
        if (element.text or "").startswith("\\"):
            raise GlowliteError(f"this formula has a command that is not known, {element.text}: ${latex}$")
    for element in list(made.iter()):
        _fix_element(element)
    made.set("alttext", latex.strip())
    if display:
        made.set("tabindex", "0")  # a long formula scrolls in a box, with the keyboard too
    return tostring(made, encoding="unicode")


def _fix_element(element: Element) -> None:
    """Change letter styles, names of functions, and bars into a form that browsers draw correctly."""
    style = element.attrib.pop("mathvariant", None)
    if style in LETTERS and element.text in LETTERS[style]:
        element.text = LETTERS[style][element.text]
    elif style:
        element.set("mathvariant", style)
    if element.tag == "mi" and element.text in (";", ":", "±"):
        element.tag = "mo"
    if element.tag == "mo" and element.text == "/":
        element.attrib |= {"lspace": "0", "rspace": "0"}
    if element.tag == "mi" and len(element.text or "") == 1 and "Α" <= element.text <= "Ω":
        element.set("mathvariant", "normal")  # capital Greek letters are upright
    children, opened = list(element), False
    for child in children:
        if child.tag == "mo" and child.text in BARS and "form" not in child.attrib:
            opened = not opened  # else browsers take them for relations, with wide spaces
            form = "prefix" if opened else "postfix"
            child.attrib |= {"form": form, "lspace": "0", "rspace": "0", "stretchy": "false"}
    if element.tag in ("mrow", "math"):
        for place in range(len(children) - 1, -1, -1):
            child = children[place]
            if not _is_name(child):
                continue
            if place + 1 < len(children) and not _opens(children[place + 1]):
                element.insert(place + 1, _make_space())
            if place and _ends_term(children[place - 1]):
                element.insert(place, _make_space())


def _is_name(element: Element) -> bool:
    """Whether it is log, det, max, ..., with or without an index. A name is upright, with a thin space around it."""
    if element.tag in ("msub", "msup", "msubsup", "munder"):
        return bool(len(element)) and _is_name(element[0])
    named = element.tag in ("mi", "mo") and len(element.text or "") > 1 and element.text.isalpha()
    if named:
        element.tag = "mi"
        element.attrib.pop("movablelimits", None)
    return named


def _opens(element: Element) -> bool:
    return element.tag == "mspace" or (element.tag == "mo" and element.text in OPENING) or _is_relation(element)


def _is_relation(element: Element) -> bool:
    """Whether it is an operator, which has spaces of its own, or the second of two bars."""
    return element.tag == "mo" and (element.text not in BARS or element.get("form") == "postfix")


def _ends_term(element: Element) -> bool:
    if element.tag == "mo":
        return element.text in (")", "]", "}") or element.get("form") == "postfix"
    return element.tag != "mspace" and not _is_name(element)


def _make_space() -> Element:
    return SubElement(Element("mrow"), "mspace", width=THIN)
