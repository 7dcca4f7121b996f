"""What every test relies on: one thread a worker, the same random numbers, a Chromium where there is one."""

import os
import signal
from contextlib import suppress

import pytest
import torch

from benchmarks.servers import FLAGS, find_chromium
from glowlite.errors import GlowliteError

HOW_TO_GET_CHROMIUM = (
    "no Chromium found: install it (Debian: apt-get install chromium; others: your browser's own package), "
    "or name one in the environment variable CHROMIUM"
)


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)  # the workers already fill the cores
    config.option.loadscopereorder = False  # or workers take the files with most tests first, not those that take long


def pytest_collection_modifyitems(items):
    """Files with slow tests come first, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def usual_signals():
    """Ctrl-C and a closed terminal do what they usually do; whoever started the tests may have them ignored."""
    usual = {signal.SIGINT: signal.default_int_handler}
    if hasattr(signal, "SIGHUP"):
        usual[signal.SIGHUP] = signal.SIG_DFL
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive; without one the test is skipped, and where CI=true it fails."""
    with suppress(GlowliteError):
        return find_chromium()
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(HOW_TO_GET_CHROMIUM)
    pytest.skip(HOW_TO_GET_CHROMIUM)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Pytest folds skipped tests that name one place into one line: without a Chromium that line says it all."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and HOW_TO_GET_CHROMIUM in report.longrepr[2]:
        report.longrepr = (__file__, None, f"Skipped: {HOW_TO_GET_CHROMIUM}")
    return report


# Playwright's own list of features that it turns off, which this one replaces, and the two pages that Chromium would
# load unseen into every new window for its address bar: most of what an empty window costs.
FEATURES = """
    AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose HttpsUpgrades HttpsFirstBalancedModeAutoEnable
    LensOverlay MediaRouter PaintHolding ThirdPartyStoragePartitioning AvoidCorsURLLoaderRestartOnRedirect
    OptimizationHints NetworkTimeServiceQuerying AimEnabled PreconnectToSearch
    WebUIOmniboxPopup WebUIOmniboxAimPopup
""".split()


def launch(chromium: str):
    """For a fixture: a Chromium that playwright drives."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--disable-features={','.join(FEATURES)}"]
        driven = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield driven
        driven.close()


@pytest.fixture(scope="module")
def browser(chromium):
    """A Chromium for one file: playwright keeps an event loop running, which tests of other files start themselves."""
    yield from launch(chromium)
