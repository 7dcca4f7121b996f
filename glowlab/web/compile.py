"""Compile kernels.c to kernels.wasm, beside it: `make wasm`, or python -m glowlab.web.compile

By clang as the wheel `ziglang` brings it, of one version, so that the same source gives the same bytes anywhere. Nobody
needs it but who changes kernels.c: kernels.wasm is in the repository.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EXPORTS = ("convolve", "couple", "__heap_base")  # and the memory
OPTIONS = "-target wasm32-freestanding -O3 -msimd128 -fno-builtin -nostdlib -s -Wl,--no-entry".split()


def compile_kernels(source: Path = HERE / "kernels.c") -> bytes:
    """The WebAssembly of a C source."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "kernels.wasm")
        exports = [f"-Wl,--export={name}" for name in EXPORTS]
        command = [sys.executable, "-m", "ziglang", "cc", *OPTIONS, *exports, "-Wl,-z,stack-size=16384"]
        caches = {f"ZIG_{kind}_CACHE_DIR": f"{folder}/{kind}" for kind in ("LOCAL", "GLOBAL")}
        subprocess.run([*command, "-o", out, source], check=True, env=os.environ | caches)
        return out.read_bytes()


if __name__ == "__main__":
    (HERE / "kernels.wasm").write_bytes(compile_kernels())
