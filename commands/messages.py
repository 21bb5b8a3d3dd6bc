"""Translations: collects what the source says and brings the catalogues in line with it."""

import io
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po
from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from app.i18n import DEFAULT, LABELS, catalogue_path
from app.routers import ROUTERS
from app.routers.docs_router import docs_page
from app.schemas.problem import PROBLEMS
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT

SOURCE = ROOT / "app"
_METHODS = [("**.py", f"{__name__}:extract_from_python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}


def main(arguments: list[str]) -> int:
    """Update the catalogues; 1 when something in them is left to be translated."""
    parser = Arguments(prog="manage.py messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    only_check = parser.parse_args(arguments).check
    source = extract()
    if not only_check:
        for code in _translated():
            path = catalogue_path(code)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(updated(code, source))
    found = problems(source)
    for problem in found:
        print(problem, file=sys.stderr)
    return int(bool(found))


def extract() -> Catalog:
    """All messages of the source, with the files they are in."""
    template = Catalog()
    for file, _line, text, comments, context in extract_from_dir(
        SOURCE, method_map=_METHODS, options_map=_OPTIONS
    ):
        # Without line numbers: they would change the catalogue with every edit of the source.
        place = [(Path("app", file).as_posix(), 0)]
        template.add(text, None, place, auto_comments=comments, context=context)
    for text in api_texts():
        template.add(text, None, [("openapi.json", 0)])
    return template


def extract_from_python(
    file: IO[bytes], keywords: Mapping[str, Any], tags: Collection[str], options: Any
) -> Iterator[Any]:
    """As Babel does it, but it reads only files with such a call: one of ten."""
    call = rf"\b(?:{'|'.join(map(re.escape, keywords))})\s*\("
    if re.search(call.encode(), file.read()):
        file.seek(0)
        yield from extract_python(file, keywords, tags, options)


def api_texts() -> list[str]:
    """What `/api/docs` shows of the OpenAPI document, in its order."""
    # What any route of the API may answer stays translated while there is none.
    any_route = APIRouter(responses=PROBLEMS)
    any_route.add_api_route("/api/any", _any_route)
    routes = [route for router in (*ROUTERS, any_route) for route in router.routes]
    texts: dict[str, None] = {}

    def note(text: str) -> str:
        texts[text] = None
        return text

    docs_page(get_openapi(title="", version="", routes=routes), note)
    return list(texts)


def _any_route(number: int) -> None:
    pass


def updated(code: str, source: Catalog) -> bytes:
    """The catalogue of a language, with every message of the source and no other."""
    catalogue = _read(code)
    catalogue.update(source, no_fuzzy_matching=True)
    output = io.BytesIO()
    write_po(
        output, catalogue, width=100, omit_header=True, ignore_obsolete=True, include_lineno=False
    )
    return output.getvalue()


def problems(source: Catalog) -> list[str]:
    """What is wrong with the catalogues, in sentences; none when all is translated."""
    found = []
    wanted = {message.id for message in source if message.id}
    for code in _translated():
        catalogue = _read(code)
        there = {message.id: message for message in catalogue if message.id}
        found += [f"{code}: not in the catalogue: {_text(key)!r}" for key in wanted - there.keys()]
        found += [f"{code}: not in the source: {_text(key)!r}" for key in there.keys() - wanted]
        for message in there.values():
            found += [
                f"{code}: {what}: {_text(message.id)!r}" for what in _faults(message, catalogue)
            ]
    return sorted(found)


def _faults(message: Message, catalogue: Catalog) -> list[str]:
    string = message.string or ""
    strings = [string] if isinstance(string, str) else list(string)
    faults = [str(error) for error in message.check(catalogue)]
    if not strings or not all(strings):
        faults.append("not translated")
    if message.fuzzy:
        faults.append("marked as fuzzy")
    return faults


def _translated() -> list[str]:
    return [code for code in LABELS if code != DEFAULT]


def _read(code: str) -> Catalog:
    path = catalogue_path(code)
    if not path.exists():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def _text(key: str | tuple[str, ...] | list[str]) -> str:
    return key if isinstance(key, str) else key[0]
