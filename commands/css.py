"""Builds what browsers load: `app/static`, htmx and uPlot into `app/static/dist`, named by content.

The style sheet comes from `app/static/css/app.css`: Tailwind and daisyUI read the templates and
keep the classes that occur there. The result is committed, so running the app needs no Node.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.node import MODULES, node, provide_modules
from commands.kit.words import Failure, say

STATIC = ROOT / "app" / "static"
SCRIPTS = STATIC / "js"
DIST = STATIC / "dist"
COPIED = {
    "app.js": SCRIPTS / "app.js",
    "logs.js": SCRIPTS / "logs.js",
    "upload.js": SCRIPTS / "upload.js",
    "live.js": SCRIPTS / "live.js",
    "htmx.js": MODULES / "htmx.org" / "dist" / "htmx.min.js",
    "uplot.js": MODULES / "uplot" / "dist" / "uPlot.iife.min.js",
    "uplot.css": MODULES / "uplot" / "dist" / "uPlot.min.css",
    "icon.svg": STATIC / "icon.svg",
}
"""Files that browsers get, by the name that templates use; our own without their comments."""
JOINED = {
    # htmx looks at the page as soon as nothing else is to be run, and sees no stream to connect if
    # the extension is still on its way.
    "htmx-sse.js": (COPIED["htmx.js"], MODULES / "htmx.org" / "dist" / "ext" / "hx-sse.min.js"),
}

WORTH_PACKING = 1000
"""Bytes from which a file stands there in Brotli as well, as the app compresses pages."""

_COMMENT_LINE = re.compile(rb"^[ \t]*//.*\n", re.MULTILINE)
_PACK = """
const {readFileSync, writeFileSync} = require("node:fs");
const {brotliCompressSync} = require("node:zlib");
for (const name of process.argv.slice(1))
  writeFileSync(`${name}.br`, brotliCompressSync(readFileSync(name)));
"""


def main(arguments: list[str]) -> int:
    """Build, or with `--check` say whether what is committed is what would be built."""
    parser = Arguments(prog="manage.py css", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if stale")
    check = parser.parse_args(arguments).check
    provide_modules()
    files = build()
    if check:
        fresh = files == _committed()
        say("css_fresh" if fresh else "css_stale")
        return int(not fresh)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    for name, content in files.items():
        (DIST / name).write_bytes(content)
        print(f"{len(content):>7,} bytes  app/static/dist/{name}")
    return 0


def build() -> dict[str, bytes]:
    """The content of `app/static/dist`: file name to bytes."""
    sources = {name: path.read_bytes() for name, path in COPIED.items()} | {"app.css": _css()}
    for name, parts in JOINED.items():
        sources[name] = b"\n".join(part.read_bytes() for part in parts)
    files: dict[str, bytes] = {}
    manifest: dict[str, str] = {}
    for name, content in sorted(sources.items()):
        # Git may check text out with other line ends; the name must not depend on that.
        content = content.replace(b"\r\n", b"\n")
        if COPIED.get(name, STATIC).parent == SCRIPTS:
            content = _COMMENT_LINE.sub(b"", content)
        stem, _, extension = name.rpartition(".")
        manifest[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{extension}"
        files[manifest[name]] = content
    files |= _packed({name: files[name] for name in files if len(files[name]) >= WORTH_PACKING})
    files["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    return files


def _packed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files in Brotli, at its highest level: it takes too long to do it for each who asks."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        subprocess.run([node(), "-e", _PACK, *files], cwd=folder, check=True)
        return {f"{name}.br": (Path(folder) / f"{name}.br").read_bytes() for name in files}


def _css() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "app.css"
        done = subprocess.run(
            [
                node(),
                str(MODULES / "@tailwindcss" / "cli" / "dist" / "index.mjs"),
                f"--input={STATIC / 'css' / 'app.css'}",
                f"--output={output}",
                "--minify",
            ],
            cwd=ROOT,
            env={**os.environ, "NODE_ENV": "production"},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise Failure("css_fails", reason=done.stderr.strip())
        return output.read_bytes()


def _committed() -> dict[str, bytes]:
    return {path.name: _as_built(path) for path in DIST.glob("*")}


def _as_built(path: Path) -> bytes:
    content = path.read_bytes()
    return content if path.suffix == ".br" else content.replace(b"\r\n", b"\n")
