"""Where the product's name stands in the project's files, and how each kind of file writes it.

A place is found by what is around it, not by the name: any name can follow any other. Standard
library only.
"""

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from commands.kit.words import Failure

LONGEST: Final = 40

# Unquoted in YAML, some words are no text.
_SLUG: Final = re.compile(r"(?!(true|false|yes|no|on|off|null|y|n)$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_JOINERS: Final = {"\u200d", "\ufe0f"}  # they hold emoji together


@dataclass(frozen=True)
class Product:
    """What it is called: `name` by people, `slug` by programs."""

    name: str
    slug: str


def product(name: str, slug: str = "") -> Product:
    """The product of this name; without a slug of its own one is made of the name's Latin letters.

    Raises `Failure`.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise Failure("rename_empty")
    if len(name) > LONGEST:
        raise Failure("rename_long", longest=LONGEST)
    if not all(sign.isprintable() or sign in _JOINERS for sign in name):
        raise Failure("rename_signs")
    if slug and (len(slug) > LONGEST or not _SLUG.fullmatch(slug)):
        raise Failure("rename_slug_wrong", longest=LONGEST)
    return Product(name, slug or _slug_of(name))


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    return slug if _SLUG.fullmatch(slug) else f"app-{slug}".rstrip("-")


# --- how it is written -----------------------------------------------------------------------


def _python(text: str) -> str:
    """A literal as ruff formats it: with the quotes that need fewer backslashes."""
    escaped = text.replace("\\", "\\\\")
    if '"' in text and text.count('"') > text.count("'"):
        return "'" + escaped.replace("'", "\\'") + "'"
    return '"' + escaped.replace('"', '\\"') + '"'


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _docker(text: str) -> str:
    return '"' + re.sub(r'(["\\$])', r"\\\1", text) + '"'


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#~|&])", r"\\\1", text)


def _sql(text: str) -> str:
    """As the roles of `app/acting.py` begin."""
    return text.replace("-", "_")


def _plain(text: str) -> str:
    return text


# --- where it stands -------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """In `file`, what the group of `pattern` matches: the name, or with `slug` that."""

    file: str
    pattern: str
    write: Callable[[str], str] = _plain
    slug: bool = True
    most: int = 0
    """How many times, from the beginning of the file; 0 is every time."""


_PRODUCT_FILE: Final = "app/product.py"
_DOCKER_COMMANDS: Final = (r"docker build -t (\S+) \.", r"--env-file \.env (\S+)$")
_ROLES: Final = (r"(?:^\| `|ROLE |GRANT )(\w+)_user\b", r"(?:^\| `|ROLE |, )(\w+)_system\b")

PLACES: Final = (
    Place(_PRODUCT_FILE, r"^NAME: Final = ([^\r\n]+)", _python, slug=False),
    Place(_PRODUCT_FILE, r"^SLUG: Final = ([^\r\n]+)", _python),
    Place("pyproject.toml", r'^name = "([^"]*)"', most=1),
    Place("package.json", r'^  "name": "([^"]*)"', most=1),
    Place("package-lock.json", r'^ +"name": "([^"]*)"', most=2),
    Place("Dockerfile", r'image\.title=("(?:[^"\\]|\\.)*")', _docker, slug=False),
    Place("docker-compose.yml", r"^name: (\S+)"),
    Place("docker-compose.yml", r"^  image: (\S+)"),
    Place("render.yaml", r"^    name: (\S+)", most=1),
    Place(".devcontainer/devcontainer.json", r'^  "name": ("(?:[^"\\]|\\.)*")', _json, slug=False),
    Place("README.md", r"\A# ([^\r\n]+)", _markdown, slug=False),
    Place("README.ja.md", r"\A# ([^\r\n]+)", _markdown, slug=False),
    *(
        Place(file, pattern)
        for file in ("README.md", "README.ja.md", "Dockerfile")
        for pattern in _DOCKER_COMMANDS
    ),
    *(
        Place(file, pattern, _sql)
        for file in ("docs/security.md", "docs/security.ja.md")
        for pattern in _ROLES
    ),
)


def current(root: Path) -> Product:
    """What the product is called now. Raises `Failure`."""
    text = (root / _PRODUCT_FILE).read_text(encoding="utf-8")
    found = [re.search(place.pattern, text, re.MULTILINE) for place in PLACES[:2]]
    try:
        name, slug = (ast.literal_eval(match[1]) for match in found if match)
    except (ValueError, SyntaxError):
        raise Failure("rename_unknown", file=_PRODUCT_FILE) from None
    return Product(name, slug)


def changes(root: Path, product: Product) -> Iterator[tuple[str, str | None]]:
    """Each file that would change, with its new text; None for one that has lost its place.

    A file that is not there is passed over: it was not wanted.
    """
    for file in dict.fromkeys(place.file for place in PLACES):
        try:
            with (root / file).open(encoding="utf-8", newline="") as stream:
                before = stream.read()
        except FileNotFoundError:
            continue
        after, lost = before, False
        for place in PLACES:
            if place.file == file:
                new = place.write(product.slug if place.slug else product.name)
                after, count = _put(place, new, after)
                lost = lost or not count
        if after != before:
            yield file, after
        if lost:
            yield file, None


def _put(place: Place, new: str, text: str) -> tuple[str, int]:
    def replace(match: re.Match[str]) -> str:
        start, end = match.span(1)
        return match[0][: start - match.start()] + new + match[0][end - match.start() :]

    return re.subn(place.pattern, replace, text, count=place.most, flags=re.MULTILINE)
