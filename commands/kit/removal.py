"""Takes an example part out of the project: its own files, and its lines in files of others.

What belongs to a part is said in `removals/PART.toml`, in the terms of `Edit`. A place is told by
what stands there, so that it is found wherever others have moved it; one that is not found at all
was changed by hand, and then nothing is done.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from commands.kit.words import Failure

SPECS: Final = Path(__file__).parent / "removals"


@dataclass(frozen=True)
class Edit:
    """What goes from `file`; patterns are regular expressions.

    `statements`: Python statements whose first line matches. `names`: elements of lists, imports
    and parameters. `lines`: whole lines. `swaps`: (pattern, replacement) of any text.
    """

    file: str
    statements: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    swaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Part:
    """An example part: `files` are patterns of paths, `packages` what nothing else needs."""

    name: str
    files: tuple[str, ...]
    packages: tuple[str, ...]
    migrations: tuple[str, ...]
    """Those that made its tables, the oldest first; they stay, and a new one takes them back."""
    before: tuple[str, ...]
    """Parts that build on it, and go first."""
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Plan:
    """Files that go, and the new text of those that change."""

    deleted: tuple[Path, ...]
    changed: dict[Path, str]


def parts() -> list[str]:
    return sorted(path.stem for path in SPECS.glob("*.toml"))


def read(name: str) -> Part:
    spec: dict[str, Any] = tomllib.loads((SPECS / f"{name}.toml").read_text(encoding="utf-8"))
    edits = tuple(
        Edit(
            file=edit["file"],
            statements=tuple(edit.get("statements", ())),
            names=tuple(edit.get("names", ())),
            lines=tuple(edit.get("lines", ())),
            swaps=tuple((old, new) for old, new in edit.get("swaps", ())),
        )
        for edit in spec["edit"]
    )
    return Part(
        name=name,
        files=tuple(spec["files"]),
        packages=tuple(spec.get("packages", ())),
        migrations=tuple(spec.get("migrations", ())),
        before=tuple(spec.get("before", ())),
        edits=edits,
    )


def is_there(root: Path, part: Part) -> bool:
    return any(True for _ in _own_files(root, part))


def plan(root: Path, part: Part) -> Plan:
    """What would be done. Raises `Failure` where a place is not found."""
    deleted = tuple(_own_files(root, part))
    changed = {}
    for edit in part.edits:
        path = root / edit.file
        if not path.exists():
            continue  # it went with another part, or was not wanted
        text = path.read_text(encoding="utf-8")
        changed[path] = _edited(edit, text)
    return Plan(deleted, changed)


def carry_out(plan: Plan) -> None:
    for path in plan.deleted:
        path.unlink()
    for folder in sorted({path.parent for path in plan.deleted}, reverse=True):
        left = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        if [path.name for path in left] in ([], ["__init__.py"]):
            _remove_folder(folder)
    for path, text in plan.changed.items():
        path.write_text(text, encoding="utf-8")


def add_migration(root: Path, part: Part) -> None:
    """Write a migration that takes back what the part's own migrations did."""
    folder = root / "migrations" / "versions"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    revisions, earlier = (
        {
            name
            for text in texts.values()
            for line in re.findall(rf"^{what} = (.+)", text, re.MULTILINE)
            for name in re.findall(r"[\"'](\w+)[\"']", line)
        }
        for what in ("revision", "down_revision")
    )
    heads = tuple(sorted(revisions - earlier))
    text = _MIGRATION.format(
        part=part.name, before=heads if heads[1:] else heads[0], files=part.migrations
    )
    # Without a number: the template gives the next one to a migration of its own.
    (folder / f"without_{part.name}.py").write_text(text, encoding="utf-8")


_MIGRATION: Final = '''"""Without {part}: what their own migrations did is taken back."""

import runpy
from pathlib import Path

revision = "without_{part}"
down_revision = {before!r}
branch_labels = None
depends_on = None

_MADE = {files!r}


def _run(file: str, step: str) -> None:
    runpy.run_path(str(Path(__file__).with_name(file)))[step]()


def upgrade() -> None:
    for file in reversed(_MADE):
        _run(file, "downgrade")


def downgrade() -> None:
    for file in _MADE:
        _run(file, "upgrade")
'''


def forget_packages(root: Path, part: Part) -> None:
    """Take the part's packages out of the lists. From then on the installed ones are others."""
    for path in root.glob("requirements*"):
        text = path.read_text(encoding="utf-8")
        for name in part.packages:
            text = _without_package(text, name)
        path.write_text(text, encoding="utf-8")


def _own_files(root: Path, part: Part) -> Iterator[Path]:
    for pattern in part.files:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _remove_folder(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def _edited(edit: Edit, text: str) -> str:
    for pattern in edit.statements:
        text = _without_statements(text, pattern, edit.file)
    for name in edit.names:
        element = rf"""["']?\b{name}\b["']?(?:\.\w+)?(?:: \w+)?"""
        text = _sub(rf"(?<=[(\[\s]){element},[ \n]?\s*|, {element}(?=[)\]])", "", text, edit.file)
    for pattern in edit.lines:
        text = _sub(rf"^{pattern}\n", "", text, edit.file)
    for pattern, new in edit.swaps:
        text = _sub(pattern, new, text, edit.file)
    return text


def _sub(pattern: str, new: str, text: str, file: str) -> str:
    after, count = re.subn(pattern, new, text, flags=re.MULTILINE)
    if not count:
        raise Failure("remove_not_found", file=file, what=pattern)
    return after


def _without_statements(text: str, pattern: str, file: str) -> str:
    """`text` without the Python statements, at any depth, whose first line matches `pattern`."""
    lines = text.splitlines(keepends=True)
    spans = [
        (first, node.end_lineno or first)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt)
        for first in [_first_line(node)]
        if re.match(pattern, lines[node.lineno - 1].strip())
    ]
    if not spans:
        raise Failure("remove_not_found", file=file, what=pattern)
    for first, last in sorted(spans, reverse=True):
        # A text below a field is its description.
        del lines[first - 1 : last + _is_description(lines[last:])]
    return "".join(lines)


def _first_line(node: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(each.lineno for each in decorators)])


def _is_description(following: Sequence[str]) -> int:
    """How many of the lines that follow are one-line text of what stood above."""
    return int(bool(following) and re.fullmatch(r'\s*""".*"""\n', following[0]) is not None)


def _without_package(text: str, name: str) -> str:
    """A requirements file without a package: its name, or its block with the hashes."""
    return re.sub(rf"^{name}(==.*(\n[ \t].*)*)?\n", "", text, flags=re.MULTILINE)
