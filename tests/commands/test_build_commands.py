"""`manage.py css`, `messages` and `lock`."""

import json
import re

import pytest

from app import i18n
from app.schemas.problem import PROBLEMS
from commands import messages
from commands.kit.environment import ROOT
from tests.commands.conftest import Checkout
from tests.support.parts import needs


@pytest.fixture
def _node_modules() -> None:
    there = (ROOT / "node_modules" / "tailwindcss").is_dir()
    needs("node_modules", there=there, mend="`python3 manage.py test` installs them with npm")


@pytest.mark.usefixtures("_node_modules")
def test_css_is_named_by_its_content_and_proved_fresh(own_checkout: Checkout) -> None:
    dist = own_checkout.folder / "app" / "static" / "dist"
    before = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))

    page = own_checkout.folder / "app" / "templates" / "one_more.html"
    page.write_text('<p class="mt-[123px]"></p>', encoding="utf-8")

    assert "`python3 manage.py css` builds it" in own_checkout.refuse("css", "--check")
    assert own_checkout.manage("css").returncode == 0
    assert own_checkout.manage("css", "--check").returncode == 0
    after = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))
    assert after["app.css"] != before["app.css"]
    assert after["htmx.js"] == before["htmx.js"]
    assert "123px" in (dist / after["app.css"]).read_text(encoding="utf-8")
    assert not (dist / before["app.css"]).exists()
    packed = dist / f"{after['app.css']}.br"
    assert packed.stat().st_size < (dist / after["app.css"]).stat().st_size / 5
    packed.write_bytes(b"something else")
    assert "`python3 manage.py css` builds it" in own_checkout.refuse("css", "--check")


@pytest.mark.usefixtures("_node_modules")
def test_css_that_cannot_be_built_is_said_so(own_checkout: Checkout) -> None:
    source = own_checkout.folder / "app" / "static" / "css" / "app.css"
    source.write_text('@import "not-there";', encoding="utf-8")

    done = own_checkout.manage("css")

    assert done.returncode == 1
    assert done.stdout.startswith("The style sheet could not be built: ")
    assert "Traceback" not in done.stdout


def test_a_sentence_without_translation_fails_the_check(
    own_checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "SOURCE", own_checkout.folder / "app")
    monkeypatch.setattr(i18n, "LOCALES", own_checkout.folder / "app" / "locales")
    page = own_checkout.folder / "app" / "templates" / "one_more.html"
    page.write_text("{{ _('Never said before') }}", encoding="utf-8")

    assert messages.main(["--check"]) == 1
    assert "not in the catalogue: 'Never said before'" in capsys.readouterr().err
    assert messages.main([]) == 1
    assert "not translated: 'Never said before'" in capsys.readouterr().err

    page.unlink()
    assert messages.main([]) == 0


def test_what_any_route_of_the_api_may_answer_is_translated_before_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(messages, "ROUTERS", ())

    said = messages.api_texts()

    assert {answer["description"] for answer in PROBLEMS.values()} < set(said)
    catalogue = i18n.language("ja").gettext
    assert [text for text in said if catalogue(text) == text] == []


@pytest.mark.parametrize(
    "name", ["requirements-pip", "requirements", "requirements-dev", "requirements-bench"]
)
def test_each_direct_need_is_locked_with_hashes_and_without_an_address(name: str) -> None:
    needed = (ROOT / f"{name}.in").read_text(encoding="utf-8")
    locked = (ROOT / f"{name}.txt").read_text(encoding="utf-8")

    wanted = set(re.findall(r"^([a-z][\w-]*)", needed, re.MULTILINE))
    blocks = re.split(r"^(?=[a-z])", locked, flags=re.MULTILINE)[1:]
    pinned = {block.split("==")[0].partition("[")[0] for block in blocks}

    assert wanted <= pinned
    assert all(re.match(r"[\w.\[\],-]+==\S+", block) for block in blocks)
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in locked
