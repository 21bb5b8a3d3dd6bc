"""The links and forms of a page, as a browser would find them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]


@dataclass
class PageForm:
    """A form as the page has it. `fields` are their values, `files` those that take a file."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class Page(HTMLParser):
    """What can be followed and sent from a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[PageForm] = []
        self._by_id: dict[str, PageForm] = {}
        self._open: PageForm | None = None
        self._elsewhere: list[tuple[str, dict[str, str]]] = []
        self._select: tuple[PageForm, str] | None = None
        self.feed(text)
        self.close()
        for form_id, found in self._elsewhere:
            self._add(self._by_id[form_id], found)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        found = {name: value or "" for name, value in attrs}
        match tag:
            case "a" if "href" in found:
                self.links.append(found["href"])
            case "form":
                self._open = PageForm(found.get("action", ""), found.get("method", "get"))
                self.forms.append(self._open)
                if "id" in found:
                    self._by_id[found["id"]] = self._open
            case "input" | "textarea" | "select" | "button":
                if "form" in found:
                    self._elsewhere.append((found["form"], found))
                elif self._open is not None:
                    self._add(self._open, found)
                    if tag == "select":
                        self._select = self._open, found["name"]
            case "option" if self._select is not None:
                form, name = self._select
                if "selected" in found or not form.fields[name]:
                    form.fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None

    def _add(self, form: PageForm, found: dict[str, str]) -> None:
        if "formaction" in found:  # the same fields, sent somewhere else
            self.forms.append(PageForm(found["formaction"], form.method, form.fields, form.files))
        if found.get("type") == "file":
            form.files.add(found["name"])
        elif "name" in found and "checked" in found:
            form.fields[found["name"]] = found.get("value", "on")
        elif "name" in found:
            form.fields.setdefault(found["name"], found.get("value", ""))
