"""Bring the translations up to date with the sentences in templates and code.

Message ids are the English sentences; app/locales holds the other languages.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from app import i18n
from commands.kit.environment import ROOT
from commands.kit.words import say, text

_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "extensions": "jinja2.ext.do"}}
# Files without dates of extraction change only when sentences do.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: list[str]) -> int:
    """Update every catalogue, or with `--check` only look. 1 if a translation is missing."""
    parser = argparse.ArgumentParser(prog="manage.py messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if incomplete")
    check = parser.parse_args(arguments).check
    problems: list[str] = []
    for code in sorted(set(i18n.LABELS) - {i18n.DEFAULT}):
        path = i18n.catalogue_path(code)
        catalogue = updated(path, code)
        content = rendered(catalogue)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes().replace(b"\r\n", b"\n") != content:
            problems.append(text("messages_stale", path=path.relative_to(ROOT)))
        problems += [f"{path.relative_to(ROOT)}: {problem}" for problem in incomplete(catalogue)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        say("messages_complete")
    return int(bool(problems))


def updated(path: Path, code: str) -> Catalog:
    """The catalogue of one language with exactly the sentences that the app has now."""
    catalogue = Catalog(locale=code)
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code)
    template = Catalog(creation_date=_EPOCH)
    for name, _line, message, comments, context in extract_from_dir(
        ROOT / "app",
        _METHODS,
        options_map=_OPTIONS,
        keywords=DEFAULT_KEYWORDS,
        comment_tags=("Translators:",),
    ):
        place = [(f"app/{Path(name).as_posix()}", 0)]
        template.add(message, locations=place, auto_comments=comments, context=context)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def incomplete(catalogue: Catalog) -> Iterator[str]:
    """What is missing or wrong, one line each."""
    for message in catalogue:
        if not message.id:
            continue
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(forms) or message.fuzzy:
            yield text("message_missing", message=repr(message.id))
        for error in message.check(catalogue):
            yield f"{message.id!r}: {error}"


def rendered(catalogue: Catalog) -> bytes:
    """The bytes of the `.po` file, sorted, without line numbers and dates."""
    output = io.BytesIO()
    write_po(
        output, catalogue, sort_output=True, include_lineno=False, omit_header=False, width=100
    )
    return output.getvalue()
