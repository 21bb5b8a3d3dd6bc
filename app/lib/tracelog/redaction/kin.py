"""Secrets that only their neighbours make known: parts of keys, short names, answers, manifests."""

import itertools
import re
from collections.abc import Collection
from typing import Final

from app.lib.tracelog.redaction.keys import MAX_KEY, KeyJudge
from app.lib.tracelog.redaction.neighbours import (
    ANSWERS,
    BINDINGS,
    KEY_PARTS,
    LOGIN_KEYS,
    NAME_KEYS,
    PROMPTS,
    REPLIES,
    STATEMENTS,
    TARGET_KEYS,
    TYPED_KEYS,
)
from app.lib.tracelog.redaction.plain import MARKER, Plain
from app.lib.tracelog.redaction.rules import Rule
from app.lib.tracelog.redaction.values import is_code, is_hidden, looks_chosen
from app.lib.tracelog.redaction.words import words

_THINGS: Final = frozenset({"name", "title", "label", "branch", "price", "名称"})
"""Beside one of these a `code` is that of a thing."""
_PEOPLE: Final = frozenset(
    {"email", "phone", "tel", "user", "username", "user_id", "token", "type", "state", "grant_type"}
)
_QUESTIONS: Final = ("secretquestion", "securityquestion", "秘密の質問", "秘密質問")
_ENTER: Final = re.compile("を(?:ご|再)?入力(?:して)?(?:ください|下さい)?$")
_PROMPT_EDGE: Final = " \t\r\n:：>*。."
_NO_PROMPT: Final = re.compile("[\n:：?？]")
_REMARK: Final = re.compile(
    r" (?:required|must|too|contain|characters|match|blank|empty|invalid|incorrect|expired|missing"
    r"|valid|wrong|common|least|similar)\b|\A(?i:required|invalid)\b"
    r"|ください|下さい|必須|ありません|できません|短すぎ|長すぎ|一致し|文字以[上内]"
)
_TYPES: Final = words("string integer number boolean object array http apiKey oauth2 openIdConnect")
_SCHEMA: Final = words(
    """
    type title description format minLength maxLength pattern writeOnly readOnly nullable required
    minimum maximum items anyOf deprecated scheme bearerFormat in name flows
    """
)
_MOST_MESSAGES: Final = 16
_COLUMN: Final = re.compile(r"[A-Za-z_]\w*")
_SQL: Final = re.compile(r"(?i)\s{0,80}(?:select|insert|update|delete|merge|replace|with|call)\b")
_SIGNS_IN: Final = re.compile(r"(?i)(?:log_?in|sign_?in|authenticate)\Z")
_MOST_SQL: Final = 4000
_TASKS: Final = frozenset({"about", "explain", "how", "what", "why", "write"})
_LONGEST_PROMPT: Final = 200
_MOST_WORDS: Final = 6
_LONGEST_REPLY: Final = 128


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
    if isinstance(value, list):
        return 0 < len(value) <= _MOST_MESSAGES and all(map(_is_remark, value))
    if isinstance(value, dict):
        return _is_schema(value)
    if not isinstance(value, str):
        return False
    if key in ("code", "コード"):
        return value.isdecimal() and not _THINGS.isdisjoint(keys) and _PEOPLE.isdisjoint(keys)
    return key in ("PWD", "OLDPWD") and value.startswith(("/", "~"))


def is_reply(key: str, value: object, node: dict[str, Plain], judge: KeyJudge) -> bool:
    """Whether what stands under `key` is the secret that a neighbour asks for."""
    key = key.lower()
    if key in TYPED_KEYS:
        asked = isinstance(value, (str, list)) and _is_typed_secretly(node, judge)
    elif key in BINDINGS:
        asked = isinstance(value, list) and _states_secret(node, judge)
    else:
        asked = key in REPLIES and _asks_for_secret(node, judge)
    return asked and is_hidden(Rule.HIDE, value)


def is_named_secret(node: dict[str, Plain], value_key: str, judge: KeyJudge) -> bool:
    """Whether a neighbour of a `value` says that it is a secret."""
    for key in NAME_KEYS:
        if key == "type" and value_key in ("from", "to", "received"):
            continue  # {"type": "password_reset", "from": "Tokyo"}
        name = node.get(key)
        if name is not None and _says_secret(name, judge):
            return True
    return False


def _says_secret(name: Plain, judge: KeyJudge) -> bool:
    """Whether what calls something by a name calls it a secret: `#password`, `["user", "pin"]`."""
    if isinstance(name, str):
        return len(name) <= MAX_KEY and judge(name) is Rule.HIDE
    return isinstance(name, list) and any(
        _says_secret(part[0] if isinstance(part, list) and len(part) == 1 else part, judge)
        for part in name
        if not isinstance(part, list) or (len(part) == 1 and isinstance(part[0], str))
    )


def _is_typed_secretly(node: dict[str, Plain], judge: KeyJudge) -> bool:
    return any(
        key.lower() in TARGET_KEYS and _says_secret(name, judge) for key, name in node.items()
    )


def _states_secret(node: dict[str, Plain], judge: KeyJudge) -> bool:
    """Whether a statement beside its values has a secret column, or what is called signs in."""
    method = node.get("method")
    if isinstance(method, str) and _SIGNS_IN.search(method):
        return True
    for key in STATEMENTS:
        statement = node.get(key)
        if isinstance(statement, str) and _SQL.match(statement):
            return any(judge(word) is Rule.HIDE for word in _COLUMN.findall(statement[:_MOST_SQL]))
    return False


def _asks_for_secret(node: dict[str, Plain], judge: KeyJudge) -> bool:
    """`Enter your PIN`, but not `Is a PIN required?`"""
    for key in PROMPTS:
        prompt = node.get(key)
        if not isinstance(prompt, str) or len(prompt) > _LONGEST_PROMPT:
            continue
        if prompt.rstrip().endswith("maiden name?") or "秘密の質問" in prompt:
            return True
        asked = _ENTER.sub("", prompt.strip(_PROMPT_EDGE).partition(" for ")[0])
        said = asked.lower().split()
        if (
            _NO_PROMPT.search(asked) is None
            and len(said) <= _MOST_WORDS
            and _TASKS.isdisjoint(said)
            and _ends_secret(asked, said, judge)
        ):
            return True
    return False


def _is_remark(item: object) -> bool:
    """`This password is too short.`: what a form answers, field by field."""
    if not isinstance(item, str) or len(item) > _LONGEST_PROMPT or not _REMARK.search(item):
        return False
    return not any(looks_chosen(word.strip("\"'.,")) for word in item.split())


def _is_schema(node: dict[str, Plain]) -> bool:
    """`{"type": "string", "minLength": 12}`: what a field is to hold."""
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or not _SCHEMA.issuperset(node):
        return False
    said = (item.split() for item in node.values() if isinstance(item, str))
    return not any(map(looks_chosen, itertools.chain.from_iterable(said)))


def _ends_secret(asked: str, said: list[str], judge: KeyJudge) -> bool:
    if not asked.isascii():
        return asked.casefold().endswith(judge.foreign)
    return any(judge(" ".join(said[-count:])) is Rule.HIDE for count in (1, 2))


def hide_undecided(node: dict[str, Plain], judge: KeyJudge) -> None:
    """Hide in an object that was cut off what might have been a secret beside what is missing."""
    for key, item in node.items():
        rule = judge(key)
        if key in REPLIES and not (isinstance(item, str) and len(item) <= _LONGEST_REPLY):
            continue
        if key in BINDINGS and not _states_secret(node, judge):
            continue
        if rule in (Rule.NAMED, Rule.KIN) or (
            (rule is Rule.CODE and (is_code(item) or is_hidden(rule, item)))
            or (rule is Rule.TYPED and is_hidden(Rule.MIXED, item))
        ):
            node[key] = MARKER


def hide_manifest(node: dict[str, Plain]) -> None:
    """Hide what a Secret of Kubernetes holds, whatever its parts are called."""
    for holder in ("data", "stringData"):
        held = node.get(holder)
        if isinstance(held, dict):
            node[holder] = dict.fromkeys(held, MARKER)
