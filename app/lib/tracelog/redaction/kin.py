"""Secrets that only their neighbours make known: parts of keys, short names, answers, manifests."""

from collections.abc import Collection
from typing import Final

from app.lib.tracelog.redaction.keys import KeyJudge
from app.lib.tracelog.redaction.plain import MARKER, Plain
from app.lib.tracelog.redaction.rules import Rule
from app.lib.tracelog.redaction.values import is_code, is_hidden
from app.lib.tracelog.redaction.words import ANSWERS, KEY_PARTS, LOGIN_KEYS

_THINGS: Final = frozenset({"name", "title", "label", "branch", "price", "名称"})
"""Beside one of these a `code` is that of a thing."""
_PEOPLE: Final = frozenset(
    {"email", "phone", "tel", "user", "username", "user_id", "token", "type", "state", "grant_type"}
)
_QUESTIONS: Final = ("secretquestion", "securityquestion", "秘密の質問", "秘密質問")


def is_kin(key: str, value: object, keys: Collection[str]) -> bool:
    """Whether what stands under `key`, beside others, is a secret by what those are."""
    key = key.lower()
    if key in KEY_PARTS and "kty" in keys:
        return is_hidden(Rule.HIDE, value)
    if key == "key":
        return "ssid" in map(str.lower, keys) and is_hidden(Rule.HIDE, value)
    if key == "p":
        return is_hidden(Rule.MIXED, value) and not LOGIN_KEYS.isdisjoint(map(str.lower, keys))
    if key in ANSWERS:
        flat = [other.lower().replace("_", "").replace("-", "") for other in keys]
        asked = any(question in other for other in flat for question in _QUESTIONS)
        return asked and is_hidden(Rule.HIDE, value)
    return False


def is_of_another_kind(key: str, value: object, keys: Collection[str]) -> bool:
    """Whether what would be hidden is none by its neighbours or place: a bank's code, `$PWD`."""
    if not isinstance(value, str):
        return False
    if key == "code":
        return value.isdecimal() and not _THINGS.isdisjoint(keys) and _PEOPLE.isdisjoint(keys)
    return key in ("PWD", "OLDPWD") and value.startswith(("/", "~"))


def hide_undecided(node: dict[str, Plain], judge: KeyJudge) -> None:
    """Hide in an object that was cut off what might have been a secret beside what is missing."""
    for key, item in node.items():
        rule = judge(key)
        if rule in (Rule.NAMED, Rule.KIN) or (
            rule is Rule.CODE and (is_code(item) or is_hidden(rule, item))
        ):
            node[key] = MARKER


def hide_manifest(node: dict[str, Plain]) -> None:
    """Hide what a Secret of Kubernetes holds, whatever its parts are called."""
    for holder in ("data", "stringData"):
        held = node.get(holder)
        if isinstance(held, dict):
            node[holder] = dict.fromkeys(held, MARKER)
