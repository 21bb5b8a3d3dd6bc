"""docs/settings.md has every setting with its default."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.config import Settings
from commands.kit.environment import ROOT

ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]+)`)? ?\| (.+) \|$", re.MULTILINE)
DOCUMENTS = ["settings.md", "settings.ja.md"]


def defaults() -> dict[str, str]:
    """Each setting's default as people write it; empty where there is none."""
    found = {}
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        if isinstance(default, tuple):
            default = " ".join(default)
        if isinstance(default, bool):
            default = str(default).lower()
        found[name.upper()] = default.as_posix() if isinstance(default, Path) else str(default)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_setting_is_there_with_its_default_in_the_order_of_the_source(name: str) -> None:
    rows = ROW.findall((ROOT / "docs" / name).read_text(encoding="utf-8"))

    assert [(setting, default) for setting, default, _ in rows] == list(defaults().items())


def test_the_meaning_is_what_the_source_says() -> None:
    rows = ROW.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))

    meanings = {name.upper(): field.description for name, field in Settings.model_fields.items()}
    assert {setting: meaning for setting, _, meaning in rows} == meanings
