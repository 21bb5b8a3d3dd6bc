"""What stands in the place of a secret and is none: remarks, placeholders and lines of code."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.labels import is_label
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import (
    PLACEHOLDER,
    looks_chosen,
    looks_random,
    mixes,
    says_nothing,
)

_VAULT: Final = re.compile(
    r"[ \t]{0,4}!vault(?:-encrypted)?[ \t]{0,4}[|>]?-?[ \t]{0,4}"
    r"(?:\r?\n[ \t]{0,24}\$ANSIBLE_VAULT;|\s{0,8}\Z)"
)
"""What follows is encrypted: `password: !vault |`."""
_REMARK: Final = re.compile(
    r"[ \u3000]?(?:[（(][^（）()\n]{1,60}[）)]|※[^\n]{1,60})[ \u3000。]{0,2}(?=\r?\n|\Z)"
)
_REMARKED: Final = re.compile(
    r"場合|ください|下さい|以上|以内|以下|任意|必須|空欄|省略|半角|全角|入力|変更|設定|不要|のみ"
    r"|確認|英数|文字|桁"
    r"|\b(?:optional|required|leave|blank|unchanged|characters|digits|at least|again)\b"
)
"""Behind the label of a field: `パスワード：（変更しない場合は空欄）`."""
_STANDS_FOR: Final = re.compile(
    rf"[ \t]{{0,4}}[bf]?[\"']?(?:(?i:(?:bearer|basic|token) )?{PLACEHOLDER}|\{{[a-z_.]{{2,40}}\}}"
    r"|SecretStr\([\"']\*{3,16}[\"']\)"
    r"|(?:ConvertTo-SecureString|Get-[A-Z]\w{2,40}|Read-Host)"
    r"|!(?:Ref|GetAtt|Sub|secret|env|ENV) [\w.]{1,60}"
    r"|\$\((?:<|(?:cat|op|pass|aws|gcloud|kubectl|vault"
    r"|security|openssl|head|uuidgen|pwgen) )[^()\n]{1,120}\)"
    r"|\((?:sensitive(?: value)?|known after apply|hidden|masked|not set|unchanged)\)"
    r"|\?|:[a-z_]{2,40}|\$[0-9]{1,2}|@[A-Za-z_]{2,40}"
    r"|(?i:\[(?:filtered|redacted|masked|hidden|secret|protected)\]))(?=[\s,;&\"'`)\]}]|\Z)"
)
# Lines of code that say where a secret comes from: `token = request.headers.get('X-Token')`.
_CALL: Final = re.compile(
    r"[ \t]{0,4}(?:(?:await|new|yield) )?(?P<callee>(?:[A-Za-z_]\w{0,40}\.){0,5}[A-Za-z_]\w{1,40})"
    r"\((?P<arguments>(?:\{[\w.\[\]=, :+*()\"'\-\x1a]{0,120}\})?"
    r"(?:[\w.\[\]=, :+*]|\([\w.=, ]{0,40}\)|[\"'][\w-]{1,24}[\"']){0,100}"
    r"|[\"'][A-Za-z_.: \-]{0,40}[\"'])\)"
    r"(?=[ \t]*(?:[\r\n,;)\]}#]|\Z))"
)
_GETTER: Final = re.compile(
    r"(?i)(?:[a-z]{1,16}field|column|get|getenv|getitem|getlist|header|cookie|input|prompt|getpass)\Z"
)
"""What is asked for a secret by its name: `localStorage.getItem('token')`."""
_ATTRIBUTE: Final = re.compile(
    r"[ \t]{0,4}(?:await )?(?:\$_[A-Z]{3,8}|self|cls|settings"
    r"|config|conf|request|req|res|response|form|data|user"
    r"|os|app|this|process|env|args|kwargs|payload|body|session|current_app|row|obj|params|ctx"
    r"|event|var|local|data|module|each)"
    r"(?:\.[A-Za-z_]{2,40}|\[[\"'][A-Za-z_.\-]{1,40}[\"']\]){1,4}"
    r"(?:\((?:[\"'][A-Za-z_.\-]{1,40}[\"'])?\))?(?=[ \t]*(?:[\r\n,;)\]}#]|\Z))"
)
_NAME: Final = re.compile(
    r"[ \t]{0,2}(?P<name>[A-Za-z_]{2,40})(?=[ \t]*[\r\n,;)\]}]|[ \t]+or[ \t]+None\b|\Z)"
)
_KEYWORD: Final = re.compile(
    r"[ ]{0,2}(?:[a-z_]{2,24}(?:=(?!=)|(?=[,)]))|(?P<quote>[\"'])(?:active|author|body|code|content"
    r"|count|created_at|date|description|e?mail|first_name|id|index|label|last_name|limit|name|note"
    r"|number|page|phone|role|size|slug|sort|status|title|total|type|url|user|username|value)(?P=quote)(?=[,)]))"
)
"""`StringField("Password", validators=…)`, `values("token", "count")`"""
_OPERAND: Final = re.compile(
    r"[ \t]{0,2}[A-Za-z_]{2,40}(?=[ \t]*(?:[\r\n,;:)\]}]|and\b|or\b|[&|]{2}|\Z))"
)
"""What is compared: `if password != confirm:`."""
_VALIDATOR: Final = re.compile(
    r"[ \t]?(?:(?:z|yup|[Jj]oi|v|t|vine)\.[A-Za-z]{2,20}\(|\[Validators\."
    r"|\[[\"'](?:required|nullable|string|confirmed|sometimes|min:)|Hash::make\(\$)"
)
"""`password: z.string().min(12)`"""
_ANNOTATED: Final = re.compile(r"[ ]?(?:Annotated|Mapped|ClassVar|Final)\[[\w\[\], .()|]{1,80}")
_DECLARES: Final = ("type ", "enum ")
_FUNCTION: Final = re.compile(
    r"[ \t]{0,4}(?:async[ \t]{1,2})?(?:\([\w, :?]{0,80}\)[ \t]{0,2}=>|function\b)"
)
_TYPE: Final = re.compile(r"[ \t]{1,4}(?:string|str|bytes|Buffer|number)[ \t]{0,2}[;|\r\n]")
_STATE_OF_STYLE: Final = re.compile(
    r"(?:active|checked|disabled|first-child|focus|focus-visible|focus-within|hover|invalid"
    r"|last-child|not|placeholder-shown|required|valid|visited)(?=[\s{,:.()])"
)
"""`#password:focus { … }`"""
_LOGGER: Final = re.compile(
    r"[\w.]{0,60}\.(?:auth|tokens?|sessions?|csrf|cookies?|secrets|credentials)"
)
_TELLS: Final = re.compile(" [a-z_]{2,16}=")
_REPORT: Final = re.compile(
    r" (?:user|login|log-?in|sign-?in|session|account|token|password|request)(?: [0-9]{1,9})?"
    r" (?:[a-z]{2,16}(?: [a-z\-]{2,16}){1,8}(?: [0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?=[.,:;\n]| \(|\Z)"
    r"|(?:ok|failed|succeeded|denied)(?= [a-z_]{2,16}=))"
)
_SAYS: Final = re.compile(r" [A-Za-z]{2,16}[,:]? [^\n]{1,200}")
_COUNTS: Final = re.compile(r" [0-9]{1,3} [a-z]{2,16} [^\n]{1,200}")
"""`auth: 3 failed login attempts`"""
_MORE_ARGUMENTS: Final = re.compile("[A-Za-z_]{2,40}[,)]")
_MEANS: Final = re.compile(
    r"[A-Za-z]{2,16}[ \u3000]?(?:に(?!変更|設定|し|なり|リセット|戻)|で(?!す|し|ロ|サ|入|ご)"
    r"|の|を|へ|から|により)|0[0-9\-]{9,12}[ \u3000]?[にへ宛]"
)
"""How or where, and not what: `認証コードをSMSで送りました`."""
_SIGNS: Final = re.compile(r"[ \t]{0,2}[\"'][^\w\s]{1,2}[\"']")
_SCOPE: Final = re.compile(
    r"(?:read|write|list|create|update|delete|manage|view|admin|revoke|rotate|refresh|reset"
    r"|generate|check|verify|validate|clear|cleanup|prune|sync)(?=[\s,;\"'\])]|\Z)|\*(?=[,;\"'\])]|\s{0,8}\Z)"
)
"""`tokens:write`"""
_IN_CODE: Final = re.compile(r"[A-Z][A-Za-z]{1,40}(?=[`;,(){}<>]|::)|[a-z][a-z_]{1,40}(?=\(|::)")
"""`use crate::token::Secret;`"""
_STATEMENT: Final = re.compile(
    r"[ ]?(?:raise [A-Z]\w{2,40}(?=[(\n]|\Z)|return (?:None|True|False|[a-z_]{2,40}\()"
    r"|(?:pass|continue|break|return)\s{0,4}(?:\n|\Z))"
)
"""`if token != expected_token: raise HTTPException(401)`"""
_KEY_IDS: Final = re.compile(
    r" ?kid=[\w.\-]{1,64}(?:, ?kid=[\w.\-]{1,64}){0,64}+[ \t]{0,8}(?:[\r\n]|\Z)"
)
"""By which keys are known, and nothing else: `signing keys: kid=a1, kid=b2`."""
_ASKS: Final = re.compile(r"[ \t]{0,2}(?P<quote>[\"'])(?=[\s,;:)\]]|\Z)")
_ASKED: Final = re.compile(r"(?:^|[\s(,=\[])[bf]?(?P<quote>[\"'])(?:[\w@.-]{1,32} ){0,4}\Z")
"""A question: `input('Password: ')`. The quote that opens it stands before, the other behind."""
_TOLD: Final = re.compile(
    r"(?i:cookies?|code)[ \t]{0,2}:(?:(?: [a-z]{1,15}){2,10}|(?: [0-9]{1,3} [a-z]{2,12},?){1,4}"
    r"| [0-9]{1,3})[.!]?"
    r"(?=\s*(?:\Z|\n|[,;)]))"
)
"""Words in the place of what is none of words: `cookies: accept all`, `code: see mail`."""
_PHRASE: Final = 4
_SENTENCE: Final = re.compile(
    r"\b(?:a|all|already|an|and|any|are|as|at|been|by|can|check|do|does|enter|expired|failed|for"
    r"|from|had|has|have|in|invalid|is|it|missing|must|no|not|of|off|on|only|or|please|required"
    r"|see|set|the|this|to|unset|used|via|was|were|will|with|without|you|your)\b"
)
"""Words of which no passphrase is made: `code: element was not found here`."""
_PASSED: Final = re.compile(
    r"(?i)pass[ \t]{0,2}(?P<sign>[:=])[ \t]?(?:[0-9]{1,5}[,;|/ ]{1,3}|[0-9]{1,3}\r?\n[ \t]{0,8})"
    r"(?:fail(?:ed|ures?)?|skip(?:ped)?|todo|total)[ \t]{0,2}(?P=sign)[ \t]?[0-9]{1,6}(?![\w.])"
)
"""What a run of tests says: `pass: 12, fail: 3`."""
_TRYING: Final = re.compile(
    r"(?i)(?:attempt|guess|sent|created|issued|rotated|refreshed|renewed)[ \t]{0,2}[:=]\Z"
)
_FAILED: Final = re.compile(r"(?i)\b(?:fail\w*|error|cannot|could not|unable)\b[^\n:=]{0,60}:\Z")
_STATUS: Final = re.compile(
    r"[ ]?(?:[1-5][0-9]{2}(?=\s{0,4}(?:\Z|\n|[,;)(]|[A-Z]))"
    r"|(?i:(?:connection |request |read )?(?:timeout|timed out|refused|reset by peer)"
    r"|(?:network|server|internal|unknown) error|no such file|permission denied)\b)"
)
"""`Failed to refresh token: 401`"""
_TRIED: Final = re.compile(
    r"(?i)[ \t]{0,2}(?:#?[0-9]{1,3}(?: ?(?:of|/) ?[0-9]{1,3})?(?![\w.])|[0-9]{4}-[0-9]{2}-[0-9]{2})"
)
"""How often or when, and not what: `Failed password attempt: 3`."""


_VALIDATED: Final = re.compile(
    r"\n(?P<path>[\w.\-]{1,120})\n {2}[^\n]{1,300}\[type=[a-z_]{1,40}, input_value=\Z"
)
"""The field that Pydantic writes of."""
_GIVEN: Final = re.compile(
    r"\{\x1a[0-9]{1,5}\}(?=,)"
    r"|(?:'[^'\n]{0,80}'|\"[^\"\n]{0,80}\"|-?[0-9.]{1,12}|None|True|False|\[\])(?=, )"
)
"""Data, which has been looked at by itself, or a word."""
_GRAPHQL: Final = re.compile(r"\s{0,80}(?:query|mutation|subscription)\b")
_VARIABLE: Final = re.compile(r"[ ]?\$[A-Za-z_]{1,40}[0-9]?(?=[ \t\r\n,)}\]])")
_COMMIT: Final = re.compile(
    r"(?:^|[\s\"'])(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)\(\Z"
)
"""What a change is about: `feat(auth): add passkeys`."""
_ARN: Final = re.compile(r"\barn:aws[a-z\-]{0,16}:secretsmanager:[a-z0-9\-]{0,24}:[0-9]{0,12}:\Z")
"""The name of a secret: `arn:aws:secretsmanager:…:secret:prod/db`."""
_PINS: Final = re.compile(
    r"(?i)(?:pins?|tokens|keys|secrets|passwords|sessions|cookies|credentials)[ \t]{0,2}[:=]"
    r"[ \t]{0,2}[0-9]{1,2}(?=[\s,;.)\]}|]|\Z)(?![ ][0-9])"
)
"""How many: `pins: 4`, `API keys: 3`."""


def is_shown_input(text: str, at: int, judge: KeyJudge) -> bool:
    """Whether Pydantic's `input_value=` has the input of a field that may be shown."""
    field = _VALIDATED.search(text[max(0, at - 500) : at])
    if field is None or any(
        judge(part) is not Rule.SHOW for part in re.findall(r"\w+", field["path"])
    ):
        return False
    given = _GIVEN.match(text, at)
    return given is not None and not any(
        looks_chosen(word) or looks_random(word) for word in given[0].strip("\"'").split()
    )


def _line_end(text: str, at: int) -> int:
    stop = text.find("\n", at)
    return stop if stop >= 0 else len(text)


def is_no_secret(text: str, at: int, key_start: int) -> bool:
    """Whether what begins at `at`, behind the sign of a secret key, is known to be none."""
    if _STANDS_FOR.match(text, at) or _FUNCTION.match(text, at) or _VAULT.match(text, at):
        return True
    if text.startswith("class ", max(0, key_start - 6)):
        return True
    if _KEY_IDS.match(text, at):
        return True
    if text[key_start - 2 : key_start] == "${" and text[at : at + 1] == "?":
        return True  # ${DB_PASSWORD:?is not set}
    if (remark := _REMARK.match(text, at)) and _is_remark(remark[0]):
        return True
    sign = ":" if text[at - 1] == "*" else text[at - 1]  # **Token:** …
    if sign in "はがを" and _MEANS.match(text, at):
        return True
    if _VALIDATOR.match(text, at) or (
        text.startswith(_DECLARES, max(0, key_start - 5)) and text.startswith(" {", at)
    ):
        return True
    if sign in ":=" and (
        _PASSED.match(text, key_start)
        or _PINS.match(text, max(key_start, text.rfind(" ", key_start, at - 1) + 1))
        or _is_try(text, at)
    ):
        return True
    if sign == "=":
        return _is_code(text, at, key_start)
    if sign == ",":
        return _KEYWORD.match(text, at) is not None or _names_itself(text, at, key_start)
    if sign != ":":
        return False
    if _STATUS.match(text, at) and _FAILED.search(text[max(0, at - 80) : at]):
        return True
    if _ATTRIBUTE.match(text, at) or _ANNOTATED.match(text, at):
        return True
    if _VARIABLE.match(text, at) and _GRAPHQL.match(text):
        return True
    if _COMMIT.search(text[max(0, key_start - 12) : key_start]) or _ARN.search(
        text[max(0, key_start - 100) : key_start]
    ):
        return not any(map(looks_chosen, text[at : at + 80].split()[:1]))
    if (asks := _ASKS.match(text, at)) and (
        asked := _ASKED.search(text[max(0, key_start - 80) : key_start])
    ):
        return asks["quote"] == asked["quote"]
    if text[key_start - 11 : key_start].lower() == "unexpected ":
        return not any(map(looks_chosen, text[at : at + 80].split()[:1]))
    if (
        _STATEMENT.match(text, at)
        or _STATE_OF_STYLE.match(text, at)
        or _is_log_line(text, at, key_start)
    ):
        return True
    if is_label(
        text[key_start : at - 1].strip("\"' "), text[at : _line_end(text, at)].strip(" \t\r\"',")
    ):
        return True
    if text[key_start - 1 : key_start] in ('"', "'"):
        return _names_itself(text, at, key_start)  # {'token': token}
    if told := _TOLD.match(text, max(key_start, text.rfind(" ", key_start, at - 1) + 1)):
        words = text[at : told.end()]
        return len(words.split()) < _PHRASE or _SENTENCE.search(words) is not None
    if text[at - 2 : at] == "::":
        return _IN_CODE.match(text, at) is not None
    return _SCOPE.match(text, at) is not None


def _is_log_line(text: str, at: int, key_start: int) -> bool:
    """`app.auth: user 42 signed in`"""
    is_auth = text.startswith("auth:", key_start)
    if is_auth and (_TELLS.match(text, at) or _REPORT.match(text, at)):
        return True
    says = (_COUNTS if is_auth else _SAYS).match(text, at)
    return (
        says is not None
        and (is_auth or _LOGGER.fullmatch(text, key_start, at - 1) is not None)
        and not any(map(looks_chosen, says[0].split()))
    )


def _is_try(text: str, at: int) -> bool:
    before = text[max(0, at - 10) : at]
    return _TRIED.match(text, at) is not None and _TRYING.search(before) is not None


def _is_code(text: str, at: int, key_start: int) -> bool:
    if _ATTRIBUTE.match(text, at) or _TYPE.match(text, at):
        return True
    if text.startswith("len(", key_start - 4):
        return True
    if text[at : at + 1] in ("/", "~") and text.startswith(("PWD=", "OLDPWD="), key_start):
        return True
    if (call := _CALL.match(text, at)) and _shows_nothing(call):
        return True
    if text[at - 2 : at - 1] in ("=", "!"):
        return _SIGNS.match(text, at) is not None or (
            text[at : at + 1] == " " and _OPERAND.match(text, at) is not None
        )
    return _names_itself(text, at, key_start) and (
        text[at : at + 1] == " " or _MORE_ARGUMENTS.match(text, at) is not None
    )


def _shows_nothing(call: re.Match[str]) -> bool:
    if call["arguments"][:1] in ("'", '"') and not _GETTER.search(call["callee"]):
        return False
    words = re.findall(r"\w+", call["arguments"])
    return not any((mixes(word) or looks_chosen(word)) and not says_nothing(word) for word in words)


def _names_itself(text: str, at: int, key_start: int) -> bool:
    name = _NAME.match(text, at)
    if name is None:
        return False
    key = re.match(r"[\w.]+", text[key_start : key_start + 80])
    return key is not None and key[0].rpartition(".")[2].lower() == name["name"].lower()


def _is_remark(text: str) -> bool:
    return _REMARKED.search(text) is not None and not any(
        looks_chosen(word) for word in re.findall(r"[!-~]{6,}", text)
    )
