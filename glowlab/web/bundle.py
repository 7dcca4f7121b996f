"""The modules of js/ and explorers/ as one, for pages that can load nothing beside them: opened from a disk, a widget.

The modules of the flow become one function, whose text is also what a worker runs; kernels.wasm comes along.
"""

import base64
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
FLOW = "random pixels latents kernels mixing coupling multiscale glow checkpoint engine".split()
EXPLORERS = "updater address words measures gallery labelled panel charts controls dialog headers files".split()
EXPLORERS += "marks camera upload explorer faces edits temperature studio interpolation attributes define".split()
TABLE = re.compile(r'^import (\w+) from "(\S+\.json)".*;\n', re.M)
DECLARED = re.compile(r"^(export )?(?:async )?(?:function|class|const|let) (\w+)", re.M)


def bundle() -> str:
    """One ES module with all that the modules of js/ export. ValueError where two of them use one name."""
    text, exported = flow()
    return f"{text}export {{ {', '.join(exported)} }};\n"


def script() -> str:
    """The explorers as a classic script."""
    return f'(() => {{\n"use strict";\n{explorers()}}})();\n'


def widget() -> str:
    """The explorers as anywidget's ES module."""
    return f"{explorers(['comm', 'widget'])}export default {{ render }};\n"


def explorers(more: Sequence[str] = ()) -> str:
    """The flow and the explorers, with more modules of explorers/. ValueError where two of them use one name."""
    text, exported = flow()
    rest, names, _ = join(HERE / "explorers", [*EXPLORERS, *more])
    return text + check(rest, exported + names)


def flow() -> tuple[str, list[str]]:
    """The modules of js/, and the names that they export, which are declared afterwards."""
    text, names, exported = join(HERE / "js", FLOW)
    listed = ", ".join(exported)
    wasm = base64.b64encode((HERE / "kernels.wasm").read_bytes()).decode()
    return (
        f'function glow() {{\n"use strict";\n{check(text, names)}\nreturn {{ {listed} }};\n}}\n'
        f"const {{ {listed} }} = glow();\n"
        f'Object.assign(supplies, {{ source: String(glow), wasm: readBase64("{wasm}") }});\n'
    ), exported


def join(folder: Path, modules: Iterable[str]) -> tuple[str, list[str], list[str]]:
    """Modules as one text without imports and exports, tables of JSON in it; all names declared, and those exported."""
    text = "".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in modules)
    text = TABLE.sub(lambda found: f"const {found[1]} = {read_table(folder / found[2])};\n", text)
    text = re.sub(r"^import .*?;\n", "", text, flags=re.M | re.S)
    declared = DECLARED.findall(text)
    exported = [name for export, name in declared if export]
    return re.sub(r"^export ", "", text, flags=re.M), [name for _, name in declared], exported


def read_table(path: Path) -> str:
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)


def check(text: str, names: list[str]) -> str:
    """The text; ValueError where a name is there twice."""
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two modules declare {', '.join(sorted(twice))}")
    return text
