"""Every explorer for everyone: axe-core finds nothing, the keyboard reaches all, nothing moves for those who ask."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .visitor import WIDE, rests, says, visit

EXPLORERS = ["studio", "temperature", "interpolation", "attributes"]
# What axe-core leaves out unless it is asked: a target is at least 24 pixels wide and high (WCAG 2.2).
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
NONSENSE = "?face=nobody&a=nobody"  # so that a notice stands on the page too


@pytest.fixture(scope="module", params=EXPLORERS)
def opened(request, server, browser):
    yield from visit(server, browser, request.param, NONSENSE)


@pytest.fixture
def page(opened):
    opened.wrong.clear()
    rests(opened.page)
    opened.page.get_by_role("alert").filter(has_text="nobody").wait_for()
    for fold in opened.page.locator(".gl [aria-expanded='false']").all():
        fold.click()
        opened.page.locator(".gl-levels").wait_for()
    yield opened.page
    opened.page.emulate_media(color_scheme=None, reduced_motion=None)
    opened.page.set_viewport_size(WIDE)
    assert not opened.wrong


def violations(page) -> list[str]:
    """What axe-core objects to: rule, help, and the places."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found]


def test_axe_finds_what_is_wrong(new_page):
    page = new_page("temperature")
    rests(page)
    assert violations(page) == []
    page.evaluate(
        """() => {
            document.querySelector(".gl-slider label").remove();
            document.querySelector(".gl-says").style.color = "#bbb";
            document.querySelector(".gl-tile").setAttribute("role", "radiobutton");
            const small = "width: 9px; height: 9px; min-height: 0; padding: 0; margin: 0 -9px";
            for (const button of document.querySelectorAll(".gl-button button")) button.style.cssText = small;
        }"""
    )
    found = " ".join(violations(page))
    assert all(rule in found for rule in ("label:", "color-contrast:", "aria-roles:", "target-size:"))


# What takes the focus, in the order of the page; of a group of radio buttons one does.
STOPS = """() => {
    const all = [...document.querySelectorAll("a[href], button, input, [tabindex]")].filter((e) =>
        e.checkVisibility() && !e.disabled && e.tabIndex >= 0 && !(e.type === "radio" && !e.checked));
    all.forEach((e, i) => (e.dataset.stop = i));
    return all.length;
}"""


# Where the focus is, and whether that can be seen; a slider's handle shows it, which no style tells.
FOCUS = """() => {
    const e = document.activeElement;
    const outlined = [e, e.nextElementSibling, e.closest("label")].some((part) =>
        part && getComputedStyle(part).outlineStyle !== "none");
    return [Number(e.dataset.stop), outlined || e.type === "range"];
}"""


def test_the_keyboard_reaches_everything_in_reading_order_and_shows_where_it_is(page):
    page.evaluate("scrollTo(0, 0)")
    page.locator(".gl-skip").focus()
    page.keyboard.press("Shift+Tab")
    count = page.evaluate(STOPS)
    reached = []
    for _ in range(count):
        page.keyboard.press("Tab")
        reached.append(tuple(page.evaluate(FOCUS)))
    assert count > 12 and reached == [(stop, True) for stop in range(count)]


HEAR = """() => {
    window.heard = [];
    const live = document.querySelectorAll("[aria-live], [role=status], [role=alert]");
    for (const region of live)
        new MutationObserver(() => heard.push(region.textContent))
            .observe(region, { subtree: true, childList: true, characterData: true });
    return live.length;
}"""
# Twenty moves of the first slider, each as soon as the one before has been drawn.
MOVE = """(where) => new Promise((done) => {
    const input = document.querySelector(".gl input[type=range]"), canvas = document.querySelector(where);
    const [low, high] = [Number(input.min), Number(input.max)];
    let moves = 0;
    const next = () => {
        if (moves++ === 20) return done(drawn.disconnect());
        input.value = high - (high - low) * (0.02 + 0.04 * moves);
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const drawn = new MutationObserver(next);
    drawn.observe(canvas, { attributeFilter: ["data-frame"] });
    next();
})"""
LARGE = {"temperature": ".gl-grid canvas", "studio": ".gl-pair > :nth-child(2) canvas"}


def test_the_state_is_said_after_a_move_and_not_at_every_step(page, request):
    name = request.node.callspec.params["opened"]
    assert page.evaluate(HEAR) >= 2
    page.evaluate(MOVE, LARGE.get(name, ".gl-trio > :nth-child(2) canvas"))
    page.wait_for_function("heard.length")
    rests(page)
    heard = [text for text in page.evaluate("heard") if text]
    assert heard[-1] == says(page)
    assert len(heard) < 10  # a slow machine may rest between two steps


MOVING = """() => [...document.querySelectorAll("*")].flatMap((e) => [e, "::before", "::after"].map((part) => {
    const style = part === e ? getComputedStyle(e) : getComputedStyle(e, part);
    const moves = style.transitionDuration.split(", ").some((t) => t !== "0s") && style.transitionProperty !== "none"
        || style.animationName !== "none";
    return moves ? e.tagName + "." + e.className + (part === e ? "" : part) : null;
})).filter((found) => found && /gl-|bones/.test(found))"""


def test_nothing_moves_by_itself_for_those_who_ask_for_that(page):
    assert page.evaluate(MOVING)  # else the test looks for the wrong thing
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
