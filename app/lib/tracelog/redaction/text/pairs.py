"""Finds `key=value`, `key: value` and `"key": "value"` in text and hides what secret keys hold.

It goes from separator to separator, looks back a bounded way for the key, and where that is
secret, forward for the end of its value. Where the end is in doubt, more is hidden, not less.
"""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.foreign import FOREIGN_ENDS
from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.neighbours import ANSWERS, LOGIN_KEYS
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import in_query
from app.lib.tracelog.redaction.keys.words import (
    BOARDING,
    OTHER_CODES,
    PAGE_OWNERS,
    PIN_PLACES,
    words,
)
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.text.declarations import (
    COLUMN_TYPE,
    EXCEPTION,
    TYPED,
)
from app.lib.tracelog.redaction.text.in_place import is_shown_input
from app.lib.tracelog.redaction.text.spans import value_span
from app.lib.tracelog.redaction.text.sql import binds_nothing

_SIGN: Final = re.compile(
    r"[:=|\t,\\&>：＝﹕「『→⇒?]"
    r"|[はがをに是为為는은 \u3000（](?=[「『\"'“\[A-Za-z0-9０-９\u3000 、#＃])"
    r"|[】\]］)）＞〉／](?=[\u3000 ]?[A-Za-z0-9])"
)
_ASCII_SIGN: Final = re.compile(r"[:=|\t,\\&>?]")
_AFTER_END: Final = "|".join(f"(?<={end})" for end in FOREIGN_ENDS)
_SEPARATOR: Final = re.compile(
    r"(?<=[\"'];s):[0-9]{1,6}:|[:=：＝﹕]+(?: ?>|\*\*(?= ))?"
    r"|[はがを]?[「『]|(?<=-)>|(?:\|\||\?\?)(?=[ \t]{0,4}[\"'`])|[→⇒|\t]|(?<=[\"']),"
    r"|(?<=[A-Za-z])&gt;(?=[^\s&])|\\++(?:u003|x3)[adAD]|&#(?:61|58|x3[adAD]);|&(?:equals|colon);"
    rf"|(?:{_AFTER_END}|(?<=[A-Za-z]))[はが]、?[ \u3000]?(?=[\"'“]?[A-Za-z0-9])"
    r"|(?:(?<=[）)])|(?<=[A-Za-z] ))[はが]、?[ \u3000]?(?=[0-9０-９])"
    r"|(?<=[）)])[はが]、?[ \u3000]?(?=[!-~]{1,40}[0-9!@#$%&*])"
    r"|(?:(?<=[A-Za-z])|(?<=[A-Za-z][ \u3000]))[はがをに]、?[ \u3000]?"
    r"(?=[!-.0-~]{0,40}[0-9][A-Za-z0-9]{2})"
    rf"|(?:{_AFTER_END})(?:(?:[はがを是为為는은][ \u3000]?|[ \u3000])(?=[#＃]?[\[A-Za-z0-9０-９])"
    r"|[】\]］)）＞〉／][ \u3000]?(?=[A-Za-z]{0,40}[0-9][A-Za-z0-9]{3}|[A-Za-z]{3,40}[0-9]{2}"
    r"|[!-~]{0,9}[!@#$%&*])"
    r"|（(?=[A-Za-z0-9０-９]{6}|[!-~]{0,9}[!@#$%&*]))"
)
_COUNT: Final = (
    r"[ \u3000]?[0-9０-９]{1,4}(?:[ \u3000]?(?:[-~〜～–到至]|から)[ \u3000]?[0-9０-９]{1,4})?"
    r"[ \u3000]?"
)
_LENGTH: Final = re.compile(
    rf"[ \u3000]?(?:[半全]角)?(?:英数字?|英字|数字|英数記号)?{_COUNT}"
    r"(?:文字|자리|글자|[桁字位個件回])"
    r"|(?: (?:input|output|prompt|completion|cached|total|used):? [0-9]{1,9}[,;]?){1,6}(?![\w.])"
    r"| ?[0-9]{1,6} of [0-9]{1,6}\b(?! digits)"
    r"| ?(?:(?:at least|at most|min(?:imum)?(?: of)?|max(?:imum)?(?: of)?|must be) ){0,2}"
    r"[0-9]{1,3}(?:[-–][0-9]{1,3})? (?:characters|chars|digits|letters|left|remaining"
    r"|active|expired|revoked|total|found|valid|unused"
    r"|used|attempts|tries|(?:pins|tokens|codes|passwords|keys|secrets|cookies|sessions)"
    r"(?: (?:left|used|remaining|found|set|expired|needed))?(?=[.,;)\n]|\Z))\b",
    re.IGNORECASE,
)
"""What is said of a secret, and is none: `パスワード：8文字以上`."""
_MEASURE: Final = re.compile(
    rf"{_COUNT}(?:文字|자리|글자|[桁字位回度日時分秒週年月件個つ種台枚天次]|[かカヶケ]月)"
)
"""The same where no sign stands before it: `パスワードは90日ごとに`."""
_BACKSLASHES: Final = re.compile(r"\\++")
_LOOK_BACK: Final = 96
_KEY_GAP: Final = re.compile(r"[^\w.\-$\[]+")
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# Accents, and vowels that stand above and below Thai and Indian letters, are no letters to `re`.
_MARKS: Final = (
    "\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
_WORD_BACKWARDS: Final = re.compile(rf"[\w.\-$\[{_INVISIBLE}{_MARKS}]++")
_WHOSE: Final = re.compile(
    r"(?i)(?:password|passphrase|passcode|pin|secret|token|api key|session id|credentials|cookie"
    r"|private key|encryption key|licen[sc]e key|cvv)"
    r"(?: (?:is|was|has been) (?:generated|created|set|reset))? (?:for|of) [^\n:=]{1,60}\Z"
    r"|(?-i:PASSWORD) (?-i:[a-z])\w{1,40}\Z"
)
_NUMBERED: Final = re.compile(r"(?i)(?:(?<=password)|(?<=secret)|(?<=key)) #?[0-9]{1,2}\Z")
_FIELD: Final = re.compile(r"[ \t]?[\w\[\] |.]{1,40}=[ \t]?[A-Za-z_.]{2,40}\([\w=, .()]{0,80}\)")
"""A declaration that holds no value: `password: str = Field(min_length=12)`."""
"""What stands between a name and its value in declarations: `password: str = "…"`."""
_SIGN_BEHIND: Final = re.compile(r"[ \t]*+[:=]")
_KEY_BEHIND: Final = re.compile(r"[ \t]{0,8}([\w.\-]{1,64})[\"']?[ \t]{0,4}[:=]")
_BESIDE_CODE: Final = re.compile(
    r"[^\s\"'<>]{0,400}?&(?:state|iss|scope|session_state|grant_type|redirect_uri)="
)
_KEY_EDGE: Final = f" \t\r\n\u00a0\u3000\"'`)]}}\\!?<>+*#-」』”’）】］＞〉{_INVISIBLE}"
_ENCODED_QUOTES: Final = ("&quot;", "&#34;", "&#39;", "&#x27;", "\\u0022", "%22")
_LINKS: Final = words(
    """
    is was to now provided given received used supplied entered attempted tried submitted typed
    generated sent created issued rotated refreshed renewed attempt guess là คือ anda kamu
    """
)
_STATES: Final = words(
    """
    accepted blocked changed denied expired found invalid leaked loaded rejected revoked saved set
    stored unknown updated
    """
)
_OF_DIGITS: Final = ("code", "cvv", "otp", "pin")
_DATA_FILE: Final = re.compile(r"\w\.(?:h|json|sh|toml|ya?ml)\Z")
"""Behind it stands the number of a line: `config/secrets.yml:12`."""
_LOGIN: Final = re.compile(r"[:=] ?[\w.@+%\-]{1,64} ?[/,;&|]? ?p")
"""Between the name of a user's field and the end of the short name behind it: `u: hana / p`."""
_RETURNED: Final = re.compile(r"[ \t]?[\w.\[\], |\"']{1,60}:[ \t]*(?:\r?\n|\Z)")
"""What a function gives back: `def verify_password(plain: str) -> bool:`."""
_PAIR: Final = re.compile(
    r"(?:\(|[\[,][ \t\n]{0,8}\[)[ \t\n]{0,8}[bBuUrR]{0,2}[\"'][^\"'()\[\]]{1,80}[\"']\Z"
)
_TAGS: Final = re.compile(r"(?:</[a-z0-9]{1,8}>){1,3}\Z")
_VALUES: Final = words("value input got actual received given 値 入力値 入力")
_NEAR: Final = re.compile(
    r"(?i)(?:password|passwd|passcode|passphrase|otp|pin code|パスワード|パスコード|暗証番号"
    r"|認証コード)[^\n:=]{0,48}\Z"
)
_PASS: Final = ("pass", "Pass")
_HOLDERS: Final = ("auth", "credentials", "creds", "secrets", "tokens")
_WHOLE_LINE: Final = frozenset({"authorization", "cookie"})
_LINE_START: Final = " \t>*<-#\"'"


def hide_pairs(text: str, judge: KeyJudge) -> str:
    """Text with the values of secret keys replaced."""
    shown: list[str] = []
    end = at = known = 0
    sign = _ASCII_SIGN if text.isascii() else _SIGN
    while found_sign := sign.search(text, at):
        match = _SEPARATOR.match(text, found_sign.start())
        if match is None:
            run = _BACKSLASHES.match(text, found_sign.start())
            at = run.end() if run else found_sign.end()
            continue
        at = match.end()
        if match[0] in "\t|" and (
            COLUMN_TYPE.match(text, at)
            or _SIGN_BEHIND.match(text, at)
            or ((next_key := _KEY_BEHIND.match(text, at)) and judge(next_key[1]) is Rule.HIDE)
        ):
            continue
        if match[0] == ">" and text[at - 4 : at - 1] == ") -" and _RETURNED.match(text, at):
            continue
        if (_MEASURE if match[0][-1] in "はがを是为為는은 \u3000" else _LENGTH).match(text, at):
            continue
        found = _key_before(text, max(known, match.start() - _LOOK_BACK), match, judge)
        if found is None:
            continue
        rule, key_start, whole_line = found
        if (
            match[0] == ":"
            and text[key_start : match.start()].lower() in _HOLDERS
            and (next_key := _KEY_BEHIND.match(text, at))
            and judge(next_key[1]) is Rule.HIDE
        ):
            continue  # credentials: secret_key_base: …
        if match[0] == ":" and _FIELD.match(text, at):
            continue
        if text.startswith("input_value", key_start) and is_shown_input(text, at, judge):
            continue
        if text.startswith("parameters: ", key_start) and binds_nothing(text, at, judge):
            continue
        if match[0] == ":" and (typed := TYPED.match(text, at)):
            at = typed.end()
            if typed["given"] is None:
                continue
        span = value_span(text, at, rule, key_start, whole_line=whole_line)
        if span is None:
            continue
        start, stop = span
        shown += [text[end:start], MARKER]
        end = at = known = stop
    return "".join([*shown, text[end:]]) if shown else text


def _key_before(
    text: str, low: int, separator: re.Match[str], judge: KeyJudge
) -> tuple[Rule, int, bool] | None:
    """The rule of the key before a separator, where it begins, and whether it owns its line."""
    raw = text[low : separator.start()]
    if separator[0] == "," and (not _PAIR.search(raw) or _last_word(raw[:-1]) in _LINKS):
        return None  # ("token refreshed", extra)
    if separator[0][1:2].isdecimal():
        raw = raw.removesuffix(";s")
    if raw.endswith(">") and (tags := _TAGS.search(raw)):
        raw = raw[: tags.start()]  # "<b>Password</b>: …"
    tail = raw.rstrip(f"{_KEY_EDGE}:" if separator[0] == "," else _KEY_EDGE)
    if tail.endswith(_ENCODED_QUOTES):
        for quote in _ENCODED_QUOTES:
            tail = tail.removesuffix(quote).rstrip("\\")
    closed = raw[len(tail) :]
    if separator[0] in "\t|" and "\n" in closed:
        return None  # a line ends between them
    if (")" in closed or "）" in closed or "]" in closed) and (
        bracket := max(tail.rfind("("), tail.rfind("（"), tail.rfind(" ["))
    ) > 0:
        # "Password (12 characters): …", "AWS Secret Access Key [None]: …", but "Key (token)=(…)".
        outside = tail[:bracket].rstrip(_KEY_EDGE)
        if _rule_before(outside, raw, judge)[0] is Rule.HIDE:
            tail = outside
    rule, key = _rule_before(tail, raw, judge)
    key_start = low + tail.rindex(key)
    if text[key_start - 1 : key_start] in ("?", "&"):
        rule = in_query(rule, key)
        if rule is Rule.CODE and _BESIDE_CODE.match(text, separator.end()):
            rule = Rule.SESSION
    if rule is Rule.SHOW or (
        rule not in (Rule.HIDE, Rule.MIXED) and separator[0][-1] not in ":=>：＝﹕;dDaA*"
    ):
        return None
    if separator[0][-1] in " \u3000" and text[key_start - 1 : key_start] == "/":
        return None  # GET /tags/パスワード 200
    if separator[0][0] == ":" and _DATA_FILE.search(key):
        return None
    return rule, key_start, _owns_line(low, raw, tail, key, separator[0])


def _rule_before(tail: str, raw: str, judge: KeyJudge) -> tuple[Rule, str]:
    """The rule of the key at the end of `tail`, and the key."""
    key = link = _last_word(tail)
    if key.lower() in _LINKS:
        tail = tail[: -len(key)].rstrip(" ")  # "the password is: …"
        key = _last_word(tail)
    key = key.lstrip("[.-$")
    if key.isdecimal() and (numbered := _NUMBERED.search(tail)):
        tail = tail[: -len(numbered[0])]  # "Password 2: …"
        key = _last_word(tail)
    if link.lower() in _STATES and _ends_in_secret(tail[: -len(link)], judge):
        of_digits = _last_word(tail[: -len(link)].rstrip(" ")).lower() in _OF_DIGITS
        return Rule.CODE if of_digits else Rule.SESSION, link  # "token expired: …"
    is_value = link.lower() in _VALUES and _NEAR.search(tail[-64:]) is not None
    if not key:
        return (Rule.MIXED, link) if is_value else (Rule.SHOW, key)
    if key in ("w", "W") and tail[-3:] in ("p/w", "P/W"):
        return Rule.HIDE, key
    # Pydantic's `input_value='…'` and `'input': '…'` and SQLAlchemy's `[parameters: (…)]` may hold
    # anything.
    quoted = raw.endswith(("'", '"'))
    if key == "input_value" or (key == "input" and quoted) or tail.endswith("[parameters"):
        return Rule.HIDE, key
    rule = judge(key)
    if is_value and rule is not Rule.HIDE:
        return Rule.MIXED, link  # "password check failed, value: …"
    if key.lstrip("の") in ANSWERS and ("秘密の質問" in tail or "ecurity question" in tail):
        return Rule.HIDE, key
    if _is_of_a_thing(rule, key, tail):
        return Rule.SHOW, key
    if rule is Rule.KEYED and key.lower() == "key" and "ssid" in tail.lower():
        return Rule.HIDE, key  # that of a wireless network
    if rule is Rule.HIDE and EXCEPTION.search(key):
        return Rule.RANDOM, key  # what follows the name of an exception is its message
    if rule is not Rule.HIDE and key.lower() in judge.phrase_ends:
        # Two or three words with a space between: "api key: …", "card number=…".
        words = _KEY_GAP.split(tail)
        for count in (2, 3):
            phrase = " ".join(words[-count:])
            if tail.endswith(phrase) and judge(phrase) is Rule.HIDE:
                return Rule.HIDE, phrase
    if rule is Rule.SHOW and (" for " in tail or " of " in tail or "PASSWORD " in tail):
        whose = _WHOSE.search(tail)
        of = Rule.SESSION if whose and " of " in whose[0] else Rule.HIDE
        return (of, whose[0]) if whose else (rule, key)
    if rule is Rule.KIN and key == "p" and _follows_login(tail):
        return Rule.MIXED, key
    return rule, key


def _ends_in_secret(text: str, judge: KeyJudge) -> bool:
    said = text.split()[-2:]
    return any(judge(" ".join(said[-count:])) is Rule.HIDE for count in (1, 2) if said)


def _is_of_a_thing(rule: Rule, key: str, tail: str) -> bool:
    """Whether the words before make it none: `GPIO pin: 17`, `error code: 10061`."""
    lower = key.lower()
    things = (
        OTHER_CODES
        if rule is Rule.CODE
        else BOARDING
        if key in _PASS
        else PAGE_OWNERS
        if lower == "token"
        else PIN_PLACES
    )
    if lower not in ("code", "pin", "pins", "pass", "token") or tail[-len(key) - 1 :][:1] != " ":
        return False
    return _last_word(tail[: -len(key) - 1]).lower() in things


def _follows_login(tail: str) -> bool:
    sign = max(tail.rfind(":"), tail.rfind("="))
    return (
        sign > 0
        and _LOGIN.fullmatch(tail, sign) is not None
        and _last_word(tail[:sign].rstrip(" ")).lower() in LOGIN_KEYS
    )


def _last_word(text: str) -> str:
    found = _WORD_BACKWARDS.match(text[::-1])
    return text[len(text) - found.end() :] if found else ""


def _owns_line(low: int, raw: str, tail: str, key: str, separator: str) -> bool:
    """Whether all of the line is the value: headers, and `key: value` at the start of a line."""
    if separator.rstrip("*")[-1] not in ":：":
        return False
    if raw.rstrip(" \t")[-1:] in "\"'`":
        return False  # the key is quoted, so its value ends with its own quote
    if "[" in key and "]" not in raw[len(tail) :]:
        return False  # map[password:…
    if key.lower().split("-")[-1] in _WHOLE_LINE:
        return True
    before = tail[: tail.rindex(key)]
    line = before.rpartition("\n")[2]
    if "\n" not in before and low > 0:
        return False
    said = line.strip(_LINE_START)
    return not said or said.removesuffix(":").lower() in _HOLDERS  # credentials: password: …
