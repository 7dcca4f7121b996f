"""What the tests of films ask a page, be the film alone or before a live explorer."""

PICTURES = """(root) => [...document.querySelectorAll(root + " .gl-show canvas")].map((c) => c.toDataURL()).join()"""
# What moves without a person having asked for it, and where things stand.
SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
PLACES = """(root) => [...document.querySelectorAll(root + " .gl, " + root + " .gl *")]
    .filter((e) => e.checkVisibility())
    .map((e) => {
        const { x, y, width, height } = e.getBoundingClientRect();
        return [e.tagName, ...[x, y + scrollY, width, height].map(Math.round)].join(" ");
    })"""


def pictures(page, root: str = "body") -> str:
    return page.evaluate(PICTURES, root)


def says(page) -> str:
    return page.locator(".gl-film-kind [role=status]").inner_text()


def moved(page, action) -> None:
    """Do it, and wait until the pictures have changed."""
    before = pictures(page)
    action()
    page.wait_for_function(f"(old) => ({PICTURES})('body') !== old", arg=before)
