"""The modules of js/ as one, for pages that can load nothing beside them: opened from a disk, a widget, a worker.

All modules become one function, whose text is also what a worker runs; kernels.wasm comes along. A page that was opened
from a disk takes it between <script type="module"> tags.
"""

import base64
import re
from pathlib import Path

HERE = Path(__file__).parent
ORDER = "random pixels latents kernels mixing coupling multiscale glow checkpoint engine".split()
DECLARED = re.compile(r"^(export )?(?:async )?(?:function|class|const|let) (\w+)", re.M)


def bundle() -> str:
    """One ES module with all that the modules of js/ export. ValueError where two of them use one name."""
    text = "".join((HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in ORDER)
    text = re.sub(r"^import .*?;\n", "", text, flags=re.M | re.S)
    declared = DECLARED.findall(text)
    names = [name for _, name in declared]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two modules declare {', '.join(sorted(twice))}")
    exported = ", ".join(name for export, name in declared if export)
    body = re.sub(r"^export ", "", text, flags=re.M)
    wasm = base64.b64encode((HERE / "kernels.wasm").read_bytes()).decode()
    return (
        f'function glow() {{\n"use strict";\n{body}\nreturn {{ {exported} }};\n}}\n'
        f"export const {{ {exported} }} = glow();\n"
        f'Object.assign(supplies, {{ source: String(glow), wasm: readBase64("{wasm}") }});\n'
    )
