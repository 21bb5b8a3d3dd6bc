"""Secrets that only their neighbours make known: parts of keys, short names, answers, manifests."""

import re
from collections.abc import Collection
from typing import Final

from app.lib.tracelog.redaction.keys.judge import MAX_KEY, KeyJudge
from app.lib.tracelog.redaction.keys.neighbours import (
    ANSWERS,
    BESIDE_RESPONSE,
    BESIDE_STATE,
    BINDINGS,
    CALLS,
    DERIVED,
    FIELDS_OF_DATA,
    HEADINGS,
    HOLDERS,
    KEY_PARTS,
    LOGIN_KEYS,
    NAME_KEYS,
    NAMES_INSIDE,
    PROMPTS,
    REPEATS,
    REPLIES,
    ROWS,
    STATEMENTS,
    TABLES,
    TARGET_KEYS,
    TYPED_KEYS,
)
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import (
    is_code,
    is_hidden,
    looks_chosen,
    mixes,
    names_field,
    says_nothing,
)
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER, Plain

_QUESTIONS: Final = ("secretquestion", "securityquestion", "秘密の質問", "秘密質問")
_PASSWORD: Final = re.compile("(?i)passw|pwd|passphrase|passcode")
_SEAMS: Final = re.compile("[_ -]")
_ENTER: Final = re.compile("を(?:ご|再)?入力(?:して)?(?:ください|下さい)?$")
_WHAT: Final = re.compile(r"(?i)\Awhat(?: is|'s| was) (?:your|the) (?:(?:current|new|old) )?|\?\Z")
_PERSONAL: Final = re.compile(
    r"(?i)maiden name\??\s*\Z|(?:first|childhood) (?:pet|school)|旧姓|ペットの名前"
)
_PROMPT_EDGE: Final = " \t\r\n:：>*。."
_NO_PROMPT: Final = re.compile("[\n:：?？]")
_OPERATORS: Final = words("= == === != <> eq neq ne is like ilike in contains equals match")
_COLUMN: Final = re.compile(r"[A-Za-z_]\w*")
_SHOWN: Final = re.compile(r"(?is)\bselect\b.{0,2000}?\bfrom\b")
"""What a statement asks for; what it is given stands behind."""
_SQL: Final = re.compile(r"(?i)\s{0,80}(?:select|insert|update|delete|merge|replace|with|call)\b")
_LOGIN: Final = 3
"""`["login", "hana", "…"]`"""
_LEAST: Final = 6
_TYPES_IN: Final = re.compile(r"(?i)(?:enter|typ|input|chang|fill|past|submitt|set)(?:ed|e)?\Z")
"""`{"event": "passwordEntered", "value": …}`"""
_FIRSTS: Final = words("primaryKey primary_key hashKey HashKey hash_key")
SECONDS: Final = words("secondaryKey secondary_key hashIV HashIV hash_iv")
"""Beside one of these a key that is else a database's opens something."""
_NAMES_OF_KEY: Final = words("keyName key_name KeyName")
"""`{"keyName": "key1", "value": …}`"""
_SIGNS_IN: Final = re.compile(r"(?i)(?:log_?in|sign_?in|auth|authenticate)\Z")
_VARIABLE: Final = re.compile(r"(\w{1,64}) ?: ?\$(\w{1,64})")
_MANY: Final = 1000
_FEW: Final = re.compile("[0-9]{1,3}")
_OF_DIGITS: Final = ("CV", "CSC", "CARD", "SEC")
_MOST_SQL: Final = 4000
_TASKS: Final = words(
    "about are can do does explain how is my should what when where which who why write"
)
_NAMED_BEHIND: Final = (
    (BINDINGS, {*STATEMENTS, *CALLS}),
    (frozenset({"variables"}), {"query"}),
    (ROWS - {"data"}, TABLES),
)
"""What is held, and what may say behind it what it is."""
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
    if key == "state":
        return is_hidden(Rule.SESSION, value) and not BESIDE_STATE.isdisjoint(keys)
    if key in REPEATS:
        return is_hidden(Rule.HIDE, value) and any(_PASSWORD.search(other) for other in keys)
    if key == "response":
        return is_hidden(Rule.CODE, value) and not BESIDE_RESPONSE.isdisjoint(keys)
    if key == "nonce":
        return "password" in keys and is_hidden(Rule.CODE, value)
    if key == "p":
        return is_hidden(Rule.MIXED, value) and not LOGIN_KEYS.isdisjoint(map(str.lower, keys))
    if key in ANSWERS:
        said = keys.values() if isinstance(keys, dict) else ()
        flat = [
            _SEAMS.sub("", other.lower())
            for other in (*keys, *said)
            if isinstance(other, str) and len(other) <= MAX_KEY
        ]
        asked = any(question in other for other in flat for question in _QUESTIONS)
        return asked and is_hidden(Rule.HIDE, value)
    return False


def is_reply(key: str, value: object, node: dict[str, Plain], judge: KeyJudge) -> bool:
    """Whether what stands under `key` is the secret that a neighbour asks for."""
    key = key.lower()
    if key in HOLDERS:
        hide_held(key, value, node, judge)
        return False
    if key == "plaintext":
        return is_hidden(Rule.HIDE, value) and is_named_secret(node, key, judge)
    if key in TYPED_KEYS:
        asked = isinstance(value, (str, list)) and _is_typed_secretly(node, judge)
        if key == "data" and isinstance(value, str) and not asked:
            asked = any(str(node.get(of)) in FIELDS_OF_DATA for of in NAMES_INSIDE)
    elif key in BINDINGS:
        if isinstance(value, str):
            return is_hidden(Rule.MIXED, value) and any(
                _says_secret(node.get(of), judge) for of in CALLS
            )
        asked = isinstance(value, list) and _states_secret(node, judge)
    else:
        asked = key in REPLIES and _asks_for_secret(node, judge)
    return asked and is_hidden(Rule.HIDE, value)


def is_login(node: list[Plain], judge: KeyJudge) -> bool:
    """`["auth", "…"]` and `["token", "=", "…"]`, but not `["password", "email"]`."""
    name, value = node[0], node[-1]
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and (
            (len(node) == 2 and len(value) >= _LEAST and mixes(value) and not names_field(value))
            or (isinstance(node[1], str) and node[1].lower() in _OPERATORS and looks_chosen(value))
        )
        and not says_nothing(value)
        and judge(name) is Rule.HIDE
    ) or (len(node) == _LOGIN and signs_in(name) and isinstance(value, str) and looks_chosen(value))


def signs_in(name: object) -> bool:
    """Whether an array that begins with this says who signs in, and with what."""
    return isinstance(name, str) and _SIGNS_IN.fullmatch(name) is not None


def is_named_secret(node: dict[str, Plain], value_key: str, judge: KeyJudge) -> bool:
    """Whether a neighbour of a `value` says that it is a secret."""
    if value_key.endswith("]"):
        of = value_key.rpartition("[")[0]  # fields[0][name]=password&fields[0][value]=…
        return any(_says_secret(node.get(f"{of}[{key}]"), judge) for key in NAMES_INSIDE)
    values = node[value_key]
    if value_key == "values" and isinstance(values, list):
        if _states_secret(node, judge):
            return True
        if not any(
            isinstance(each, str) and len(each) >= _LEAST and mixes(each) for each in values
        ):
            return False  # {"name": "Tokens", "values": ["Mon", "Tue"]}
    if "rule" in node and isinstance(node[value_key], int):
        return False  # {"field": "password", "rule": "min", "value": 8}
    path = node.get("loc")
    if isinstance(values, dict) and isinstance(path, list) and node.get("type") == "missing":
        return _says_secret(path[:-1], judge)  # Pydantic: what the last of it is missing from
    for key, name in node.items():
        if key not in NAME_KEYS or (key == "type" and value_key in ("from", "to", "received")):
            continue  # {"type": "password_reset", "from": "Tokyo"}
        if isinstance(name, str) and name.lower() == str(node[value_key]).lower():
            continue  # {"value": "password", "label": "Password"}
        if key in HEADINGS and _is_few(node[value_key], name):
            continue
        if key in _NAMES_OF_KEY and is_hidden(Rule.KEYED, node[value_key]):
            return True
        if key == "event" and not (isinstance(name, str) and _TYPES_IN.search(name)):
            continue
        if _says_secret(name, judge) and (key not in HEADINGS or _heads_secret(name, judge)):
            return True
    return False


def _is_few(value: Plain, heading: Plain) -> bool:
    """How many there are, on a page of figures: `{"title": "Tokens", "value": 42}`."""
    return (
        abs(value) < _MANY if isinstance(value, int) else _FEW.fullmatch(str(value)) is not None
    ) and not str(heading).upper().startswith(_OF_DIGITS)


def _says_secret(name: Plain, judge: KeyJudge) -> bool:
    """Whether what calls something by a name calls it a secret: `#password`, `["user", "pin"]`."""
    if isinstance(name, str):
        return len(name) <= MAX_KEY and judge(name) is Rule.HIDE
    return isinstance(name, list) and any(
        _says_secret(part[0] if isinstance(part, list) and len(part) == 1 else part, judge)
        for part in name
        if not isinstance(part, list) or (len(part) == 1 and isinstance(part[0], str))
    )


def _heads_secret(name: Plain, judge: KeyJudge) -> bool:
    said = name.lower().split() if isinstance(name, str) else []
    return bool(said) and (
        not said[-1].isascii()
        or judge(said[-1]) is Rule.HIDE
        or (said[-1] in judge.phrase_ends and judge(" ".join(said[-2:])) is Rule.HIDE)
    )


def _is_typed_secretly(node: dict[str, Plain], judge: KeyJudge) -> bool:
    return any(
        key.lower() in TARGET_KEYS and _says_secret(name, judge) for key, name in node.items()
    )


def _states_secret(node: dict[str, Plain], judge: KeyJudge) -> bool:
    """Whether a statement beside its values has a secret column, or what is called signs in."""
    if any(isinstance(call := node.get(key), str) and _SIGNS_IN.search(call) for key in CALLS):
        return True
    for key in STATEMENTS:
        statement = node.get(key)
        if isinstance(statement, str) and _SQL.match(statement):
            statement = _SHOWN.sub("", statement[:_MOST_SQL])
            return any(judge(word) is Rule.HIDE for word in _COLUMN.findall(statement))
    return False


def _asks_for_secret(node: dict[str, Plain], judge: KeyJudge) -> bool:
    """`Enter your PIN`, but not `Is a PIN required?`"""
    for key in PROMPTS:
        prompt = node.get(key)
        if not isinstance(prompt, str) or len(prompt) > _LONGEST_PROMPT:
            continue
        if _PERSONAL.search(prompt) or "秘密の質問" in prompt:
            return True
        asked = _WHAT.sub("", prompt.strip(_PROMPT_EDGE)) or prompt
        asked = _ENTER.sub("", asked.partition(" for ")[0])
        said = asked.lower().split()
        if (
            _NO_PROMPT.search(asked) is None
            and len(said) <= _MOST_WORDS
            and _TASKS.isdisjoint(said)
            and _ends_secret(asked, said, judge)
        ):
            return True
    return False


def _ends_secret(asked: str, said: list[str], judge: KeyJudge) -> bool:
    if not asked.isascii():
        return asked.casefold().endswith(judge.foreign)
    return any(judge(" ".join(said[-count:])) is Rule.HIDE for count in (1, 2))


def hide_undecided(node: dict[str, Plain], judge: KeyJudge) -> None:
    """Hide in an object that was cut off what might have been a secret beside what is missing."""
    whole = {key for key, item in node.items() if not isinstance(item, (list, dict))}
    whole.update([*node][:-1])
    for key, item in node.items():
        rule = judge(key)
        if key in REPLIES and not (isinstance(item, str) and len(item) <= _LONGEST_REPLY):
            continue
        if any(key in held and namers.isdisjoint(whole) for held, namers in _NAMED_BEHIND):
            node[key] = _without_mixed(item)
            continue
        if key in BINDINGS and not _states_secret(node, judge):
            continue
        if key in HOLDERS:
            hide_held(key, item, node, judge)
            continue
        if rule in (Rule.NAMED, Rule.KIN) or (
            (rule is Rule.CODE and (is_code(item) or is_hidden(rule, item)))
            or (key in TYPED_KEYS and is_hidden(Rule.MIXED, item))
            or (key == "state" and is_hidden(Rule.SESSION, item))
            or (key == "nonce" and is_hidden(Rule.CODE, item))
            or (key == "plaintext" and is_hidden(Rule.MIXED, item))
            or (key in DERIVED | _FIRSTS and is_hidden(Rule.RANDOM, item))
        ):
            node[key] = MARKER


def _without_mixed(node: Plain) -> Plain:
    if isinstance(node, dict):
        return {key: _without_mixed(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_without_mixed(item) for item in node]
    return MARKER if is_hidden(Rule.MIXED, node) else node


def hide_held(key: str, value: object, node: dict[str, Plain], judge: KeyJudge) -> None:
    """Hide the variables that a query of GraphQL takes for secrets, and cells of such columns."""
    query = node.get("query")
    if key == "variables" and isinstance(value, dict) and isinstance(query, str):
        for name, variable in _VARIABLE.findall(query[:_MOST_SQL]):
            if value.get(variable) is not None and judge(name) is Rule.HIDE:
                value[variable] = MARKER
    if key == "schema" and isinstance(value, dict):
        value = value.get("fields")
    if key != "variables" and isinstance(value, list):
        names = (column.get("name") if isinstance(column, dict) else column for column in value)
        secret = [place for place, name in enumerate(names) if _says_secret(name, judge)]
        held = [node.get(rows) for rows in ROWS] if secret else []
        for rows in held:
            if isinstance(rows, list):
                is_row = not any(isinstance(row, (list, dict)) for row in rows)
                for row in [rows] if is_row else rows:
                    _hide_cells(row, secret)


def _hide_cells(row: Plain, secret: list[int]) -> None:
    if isinstance(row, dict):
        row = row.get("f")  # as BigQuery has it
    if not isinstance(row, list):
        return
    for place in secret:
        cell = row[place] if place < len(row) else None
        if isinstance(cell, dict):
            cell.update(dict.fromkeys(cell.keys() & {"v", "value"}, MARKER))
        elif is_hidden(Rule.HIDE, cell):
            row[place] = MARKER


def hide_derived(node: dict[str, Plain]) -> None:
    """Hide what has been derived from a password, beside its salt."""
    for key in DERIVED & node.keys():
        if is_hidden(Rule.RANDOM, node[key]):
            node[key] = MARKER


def hide_manifest(node: dict[str, Plain]) -> None:
    """Hide what a Secret of Kubernetes holds, whatever its parts are called."""
    for holder in ("data", "stringData"):
        held = node.get(holder)
        if isinstance(held, dict):
            node[holder] = dict.fromkeys(held, MARKER)


def hide_generated(node: Plain) -> None:
    """Hide the password that Terraform has made, in the state that it keeps."""
    if isinstance(node, list):
        for item in node:
            hide_generated(item)
    elif isinstance(node, dict):
        if "result" in node:
            node["result"] = MARKER
        for holder in ("instances", "attributes", "values"):
            hide_generated(node.get(holder))


def hide_firsts(node: dict[str, Plain]) -> None:
    """Hide the first of two keys, of which the second is called so: `primaryKey`, `hashKey`."""
    for key in _FIRSTS & node.keys():
        if is_hidden(Rule.RANDOM, node[key]):
            node[key] = MARKER
