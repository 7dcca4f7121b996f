"""Small files of large pictures take no more memory than is promised, measured in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import io, json
from PIL import Image
from glowlite.data.pictures import read_picture
from glowlite.errors import GlowliteError

def memory(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

def measure(kind, mode, side, **options):
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, kind, **options)
    open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
    before = memory("VmRSS")
    try:
        read_picture(file.getvalue())
        read = True
    except GlowliteError as error:
        assert "of memory, and at most 256 MB" in str(error)
        read = False
    return read, round(memory("VmHWM") - before), len(file.getvalue())

fast = {"compress_level": 1}
print(json.dumps({
    "RGB": measure("PNG", "RGB", 7000, **fast),
    "LA": measure("PNG", "LA", 4400, **fast),
    "LA, too large": measure("PNG", "LA", 5700, **fast),
    "grey with a transparent value": measure("PNG", "L", 4400, transparency=7, **fast),
    "grey with a transparent value, too large": measure("PNG", "L", 8000, transparency=7, **fast),
    "RGB with a transparent colour, too large": measure("PNG", "RGB", 7000, transparency=(7, 7, 7), **fast),
    "palette with a transparent colour": measure("PNG", "P", 4400, transparency=0, **fast),
    "GIF with a transparent colour": measure("GIF", "P", 4000, transparency=0),
    "WebP": measure("WEBP", "RGB", 3000, method=0),
    "WebP, too large": measure("WEBP", "RGB", 5500, method=0),
}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="this system does not tell a process's memory")
def test_a_picture_takes_no_more_memory_than_is_promised():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    for kind, (read, peak, size) in json.loads(run.stdout).items():
        assert read == ("too large" not in kind), kind
        assert peak < 300 if read else peak < 20, (kind, peak)
        assert size < 2**20
