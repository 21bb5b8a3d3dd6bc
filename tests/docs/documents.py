"""The project's documents, taken apart: headings, code, links and names, outside of code."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from commands.kit.environment import ROOT

_FENCE = re.compile(r"^```(\w*)$")
_HEADING = re.compile(r"^(#+) (.+)$")
_PATH_LINE = re.compile(r"^`([^`]+)`$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_NAME = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Code:
    """A block of code; `path` is the file that the line above it names, if it names one."""

    language: str
    text: str
    path: str = ""


@dataclass
class Document:
    """One Markdown file."""

    path: Path
    headings: list[tuple[int, str]] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """What stands between backticks in the text."""
    prose: list[str] = field(default_factory=list)

    @property
    def anchors(self) -> set[str]:
        """Where links into this document may point, as GitHub names its headings."""
        kept = (re.sub(r"[^\w\- ]", "", title.lower()) for _, title in self.headings)
        return {title.replace(" ", "-") for title in kept}


def documents() -> list[Path]:
    """All documents in English; each has a Japanese one beside it."""
    top = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    found = [*(ROOT / name for name in top), *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in found if not path.name.endswith(".ja.md")]


def japanese(path: Path) -> Path:
    """The same document in Japanese."""
    return path.with_suffix(".ja.md")


def command_source(name: str) -> str:
    """A command's module and those of `commands/kit` that it imports: its options are in one."""
    source = (ROOT / "commands" / f"{name}.py").read_text(encoding="utf-8")
    kit = (
        ROOT / "commands" / "kit" / f"{module}.py"
        for module in re.findall(r"^from commands\.kit\.(\w+) import", source, re.MULTILINE)
    )
    return source + "".join(path.read_text(encoding="utf-8") for path in kit if path.is_file())


def read(path: Path) -> Document:
    """Take a document apart."""
    document = Document(path)
    block: list[str] | None = None
    language = named = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if block is not None:
            if line == "```":
                document.code.append(Code(language, "\n".join(block) + "\n", named))
                block, named = None, ""
            else:
                block.append(line)
        elif fence := _FENCE.match(line):
            block, language = [], fence[1]
        elif line.strip():
            if heading := _HEADING.match(line):
                document.headings.append((len(heading[1]), heading[2]))
            path_line = _PATH_LINE.match(line)
            named = path_line[1] if path_line else ""
            document.links += _LINK.findall(line)
            document.names += _NAME.findall(line)
            document.prose.append(line)
    assert block is None, f"{path.name}: a block of code is not closed"
    return document
