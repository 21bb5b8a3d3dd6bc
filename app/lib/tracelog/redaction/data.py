"""Takes secrets out of plain data: nested objects, arrays, and JSON held in their strings."""

import json
import re
from typing import Final

import orjson

from app.lib.tracelog.redaction.compact import is_compact
from app.lib.tracelog.redaction.keys.containers import shown_part
from app.lib.tracelog.redaction.keys.judge import MAX_KEY, KeyJudge
from app.lib.tracelog.redaction.keys.kin import (
    SECONDS,
    hide_derived,
    hide_firsts,
    hide_generated,
    hide_manifest,
    is_kin,
    is_login,
    is_named_secret,
    is_reply,
    signs_in,
)
from app.lib.tracelog.redaction.keys.neighbours import (
    NAME_KEYS,
    NAMES_INSIDE,
    PART_OWNERS,
    ROWS,
    STATEMENTS,
    TABLES,
    TARGET_KEYS,
)
from app.lib.tracelog.redaction.keys.other_kinds import is_of_another_kind
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_grant, is_hidden
from app.lib.tracelog.redaction.look import (
    ODD,
    WORTH_A_LOOK,
    Look,
    has_long_word,
    key_signs,
    look_at,
    search,
    without_plain_values,
)
from app.lib.tracelog.redaction.memo import Memo
from app.lib.tracelog.redaction.parsing import loads
from app.lib.tracelog.redaction.plain import MARKER, MAX_DEPTH, Plain, plain
from app.lib.tracelog.redaction.text.cards import is_card
from app.lib.tracelog.redaction.text.commands import hidden_login, hidden_words, is_program
from app.lib.tracelog.redaction.text.redactor import MAX_TEXT, SEAM, TextRedactor

TOO_DEEP: Final = "[too deep]"
_MAX_NESTED_JSON: Final = 4
_MAX_HARMLESS: Final = 4096
_SMALLEST_CARD: Final = 10**13
_OF_KIN: Final = ("key", "keys", "state", "nonce", "plaintext")
_USER_FLAGS: Final = ("-u", "--user", "--proxy-user")
_PLAIN_KEY: Final = re.compile(f"[A-Za-z0-9_-]{{1,{MAX_KEY}}}")
_FIRST_OF_ARRAY: Final = re.compile(rb'\["([^"]*+)"')


class DataRedactor:
    """Works in place: what it is given is its own."""

    def __init__(self, judge: KeyJudge, text: TextRedactor) -> None:
        self.judge = judge
        self.text = text
        text.held = self._held
        signs = key_signs(judge.phrases)
        self.has_key_signs = search(signs)
        self._is_odd_key = search(key_signs(judge.phrases, hard=False))
        self._has_signs = search(f"{ODD}|{WORTH_A_LOOK}|{signs}")
        self.known_keys = Memo(self.look_at_key, size=4096, longest=MAX_KEY)
        self.known_parts = Memo(self._look_at_part, size=1024)
        self.harmless: set[str] = set()
        self.plain_keys: set[str] = set()

    def redact(self, node: Plain, *, look: Look = Look.ALL, nested: int = 0) -> Plain:
        """Plain data without secrets.

        `look` is what was seen in the whole of its JSON, `nested` how many strings it is in.
        """
        return _Walk(self, look=look, nested=nested).node(node, 0)

    def json(self, body: bytes) -> tuple[bytes, bool]:
        """JSON without secrets, compact, and whether it is free of characters that end a line.

        Raises `orjson.JSONDecodeError`.
        """
        if self.text.has_patterns:
            return orjson.dumps(self.redact(loads(body))), False
        data: Plain = None
        text = body
        if not is_compact(body):
            data = loads(body)
            if not isinstance(data, (dict, list)):
                return orjson.dumps(self.redact(data)), False
            try:
                text = orjson.dumps(data)
            except orjson.JSONEncodeError:  # deeper than it writes
                return orjson.dumps(self.redact(data)), False
        if self._is_plain(text):
            return text, True
        if data is None:
            data = loads(text)
        if (look := self._look_at(text, data)) is None:
            return text, True
        return orjson.dumps(self.redact(data, look=look)), False

    def value(self, data: Plain) -> Plain:
        """Plain data without secrets: as `redact`, but with one look at all of it before."""
        if self.text.has_patterns or not isinstance(data, (dict, list)):
            return self.redact(data)
        try:
            text = orjson.dumps(data)
        except orjson.JSONEncodeError:  # a lone surrogate
            return self.redact(data)
        if len(text) > MAX_TEXT and len(max(text.split(b'"'), key=len)) > MAX_TEXT:
            return self.redact(data)  # which cuts what is too long
        if self._is_plain(text) or (look := self._look_at(text, data)) is None:
            return data
        return self.redact(data, look=look)

    def _look_at(self, text: bytes, data: Plain) -> Look | None:
        """What can be seen in data and its compact JSON; None where no rule has to look."""
        look = look_at(text)
        if (
            look is Look.NOTHING
            and (not self.has_key_signs(text) or self._are_plain(_keys_of(data)))
            and not self._has_pairs(text)
        ):
            return None
        return look

    def _is_plain(self, text: bytes) -> bool:
        """Whether no rule would find anything to look at in compact JSON."""
        return self._has_no_signs(text) or (
            (rest := without_plain_values(text)) != text and self._has_no_signs(rest)
        )

    def _has_no_signs(self, text: bytes) -> bool:
        if has_long_word(text) or self._has_signs(text):
            return False
        return b'["' not in text or not self._has_pairs(text)

    def _are_plain(self, keys: set[str] | None) -> bool:
        """Whether keys neither hide what they hold nor make secrets of each other."""
        if keys is None:
            return False
        new = keys - self.plain_keys
        if not new:
            return True
        named = typed = False
        for key in new:
            rule, shown, _ = self.known_keys[key]
            if shown is not None or key.lower() in PART_OWNERS:
                return False
            if rule is Rule.NAMED and key[-1:] != "]":
                named = True
            elif rule is Rule.TYPED:
                typed = True
            elif key in TABLES and ROWS.isdisjoint(keys):
                continue
            elif rule is not Rule.SHOW:
                return False
            elif len(key) <= MAX_KEY:
                if len(self.plain_keys) >= _MAX_HARMLESS:
                    self.plain_keys.clear()
                self.plain_keys.add(key)
        if typed and not (
            TARGET_KEYS.isdisjoint(map(str.lower, keys))
            and ("data" not in keys or keys.isdisjoint(NAMES_INSIDE))
        ):
            return False
        return not named or keys.isdisjoint(NAME_KEYS | {*STATEMENTS})

    def _has_pairs(self, text: bytes) -> bool:
        """Whether an array begins with the name of a secret: `["authorization", …]`."""
        firsts = _FIRST_OF_ARRAY.findall(text)
        names = [name.decode() for name in firsts]
        return any(self.judge(name) is not Rule.SHOW or signs_in(name) for name in names)

    def string(self, text: str, nested: int = 0) -> str:
        """Text without secrets; where it holds JSON, by the rules of JSON."""
        if text in self.harmless:
            return text
        if self.text.is_harmless(text):
            if len(text) <= MAX_KEY:
                if len(self.harmless) >= _MAX_HARMLESS:
                    self.harmless.clear()
                self.harmless.add(text)
            return text
        if text[:1] in '{["' and nested < _MAX_NESTED_JSON and len(text) <= MAX_TEXT:
            try:
                held: Plain = orjson.loads(text)
            except orjson.JSONDecodeError:
                return self.text(text, nested)
            before = orjson.dumps(held)
            held = self.redact(held, nested=nested + 1)
            after = orjson.dumps(held)
            # Of a key that comes twice only the last value has been looked at.
            if after == before and before.count(b'"') == text.count('"'):
                return text
            spaced = '": ' in text or '", ' in text
            return json.dumps(held, ensure_ascii=False) if spaced else after.decode()
        return self.text(text, nested)

    def _held(self, text: str, value: object, nested: int) -> str:
        """Data that stands within other text: JSON, or a value that Python has printed."""
        if nested >= _MAX_NESTED_JSON:
            return self.text.alone(text)
        if value is None:
            return self.string(text, nested + 1)
        after = self.redact(plain(value), nested=nested + 1)
        return text if after == plain(value) else repr(after)

    def key(self, key: str) -> str:
        """A key without secrets of its own."""
        shown = self.known_keys[key][1]
        return key if shown is None else shown

    def _look_at_part(self, names: tuple[str, str]) -> bool:
        return self.judge(" ".join(names)) is Rule.HIDE

    def look_at_key(self, key: str) -> tuple[Rule, str | None, bool]:
        """A key's rule, how it is shown where it holds a secret itself, and whether it makes one.

        The last is so for `number` in `{"card": {"number": …}}`.
        """
        shown = self.string(key)
        is_part = len(key) <= MAX_KEY and key.lower() in self.judge.phrase_ends
        is_plain = _PLAIN_KEY.fullmatch(key) is not None and not self._is_odd_key(key)
        rule = Rule.SHOW if is_plain else self.judge(key)
        return rule, None if shown == key else shown, is_part


class _Walk:
    """One pass over one piece of data. It is the hot path: it asks memories before it calls."""

    __slots__ = ("_all", "_colons", "_harmless", "_keys", "_nested", "_of", "_prose")

    def __init__(self, of: DataRedactor, *, look: Look, nested: int) -> None:
        self._of = of
        self._keys = of.known_keys
        self._harmless = of.harmless
        self._all = Look.ALL in look
        self._colons = Look.COLONS in look
        self._prose = Look.PROSE in look
        self._nested = nested

    def node(self, node: Plain, depth: int) -> Plain:
        if isinstance(node, dict):
            return self._object(node, depth + 1, "")
        if isinstance(node, list):
            return self._array(node, depth + 1)
        if isinstance(node, str):
            return self._string(node)
        return _number(node) if isinstance(node, (int, float)) else node

    def _string(self, text: str) -> str:
        if text in self._harmless or not (
            self._all or (self._colons and ":" in text) or (self._prose and SEAM.search(text))
        ):
            return text
        return self._of.string(text, self._nested)

    def _object(self, node: dict[str, Plain], depth: int, owner: str) -> Plain:
        if depth > MAX_DEPTH:
            return TOO_DEEP
        keys = self._keys
        show, named, code, kin, typed = Rule.SHOW, Rule.NAMED, Rule.CODE, Rule.KIN, Rule.TYPED
        salted, keyed, random = Rule.SESSION, Rule.KEYED, Rule.RANDOM
        renamed: dict[str, str] = {}
        owns = owner.lower() in PART_OWNERS
        if node.get("kind") == "Secret":
            hide_manifest(node)
        if node.get("type") == "random_password":
            hide_generated(node)
        if not SECONDS.isdisjoint(node):
            hide_firsts(node)
        for key, item in node.items():
            rule, shown_key, is_part = keys[key]
            if owns and is_part and self._of.known_parts[owner, key]:
                rule = Rule.SESSION if key == "id" else Rule.HIDE
            if rule is salted and key[-4:].lower() == "salt":
                hide_derived(node)
                item = node[key]
            if shown_key is not None:
                renamed[key] = shown_key
            if rule is named:
                if item != "" and (
                    is_hidden(Rule.HIDE, item) and is_named_secret(node, key, self._of.judge)
                ):
                    node[key] = MARKER
                    continue
            elif rule is not show and (
                (
                    is_hidden(rule, item)
                    and (
                        self._of.judge.is_added(key)
                        or not is_of_another_kind(key, item, node, owner)
                    )
                )
                or (rule is code and is_grant(item, node))
                or (
                    (rule is kin or rule is typed or key in _OF_KIN)
                    and (is_kin(key, item, node) or is_reply(key, item, node, self._of.judge))
                )
            ):
                node[key] = item = self._shown_part(key, item)
                if item == MARKER:
                    continue
            if isinstance(item, str):
                node[key] = self._string(item)
            elif isinstance(item, dict):
                node[key] = self._object(item, depth + 1, key)
            elif isinstance(item, list):
                if rule is keyed or rule is random:
                    item = [MARKER if is_hidden(rule, part) else part for part in item]
                node[key] = self._array(item, depth + 1, key if "uestions" in key else "")
            elif isinstance(item, (int, float)):
                node[key] = _number(item)
        return {renamed.get(key, key): item for key, item in node.items()} if renamed else node

    def _shown_part(self, key: str, item: Plain) -> Plain:
        holds = isinstance(item, (dict, list)) and not self._of.judge.is_added(key)
        return shown_part(key, item) if holds else MARKER

    def _array(self, node: list[Plain], depth: int, owner: str = "") -> Plain:
        if depth > MAX_DEPTH:
            return TOO_DEEP
        after_flag = False
        if len(node) > 2 and isinstance(node[0], str) and is_program(node[0]):
            words = [item for item in node if isinstance(item, str)]
            if len(words) == len(node):
                node[:] = hidden_words(words, self._of.judge)
        if 2 <= len(node) <= 3 and is_login(node, self._of.judge):
            node[-1] = MARKER
        for index, item in enumerate(node):
            if after_flag:
                node[index] = MARKER
                after_flag = False
            elif isinstance(item, str):
                after_flag = item[:1] == "-" and self._is_secret_flag(item)
                if ":" in item and index and node[index - 1] in _USER_FLAGS:
                    item = hidden_login(item)
                node[index] = self._string(item)
            elif isinstance(item, list) and len(item) == 2 and self._is_secret_pair(*item):
                node[index] = [self.node(item[0], depth), MARKER]
            elif owner and isinstance(item, dict):
                node[index] = self._object(item, depth + 1, owner)
            else:
                node[index] = self.node(item, depth)
        return node

    def _is_secret_pair(self, name: Plain, value: Plain) -> bool:
        """Headers and form fields often come as `["name", "value"]`."""
        return isinstance(name, str) and is_hidden(self._of.judge(name), value)

    def _is_secret_flag(self, item: str) -> bool:
        """Commands come as `["--token", "…"]`."""
        return not ("=" in item or " " in item) and self._of.judge(item[:MAX_KEY]) is Rule.HIDE


def _keys_of(data: Plain) -> set[str] | None:
    """The different keys in data; None where it is too deep."""
    keys: set[str] = set()
    level = [data]
    for _ in range(MAX_DEPTH):
        inner: list[Plain] = []
        for node in level:
            if isinstance(node, dict):
                keys.update(node)
                inner += node.values()
            elif isinstance(node, list):
                inner += node
        level = [node for node in inner if isinstance(node, (dict, list))]
        if not level:
            return keys
    return None


def _number(number: int | float) -> Plain:
    if -_SMALLEST_CARD < number < _SMALLEST_CARD or number != number or abs(number) >= 10**20:
        return number
    digits = str(abs(int(number)))
    return MARKER if len(digits) >= 14 and is_card(digits) else number
