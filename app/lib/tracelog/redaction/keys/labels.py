"""What pages call the fields for secrets and say of them, in the place of the secrets.

Translations are such, and answers to forms: `{"password": "Enter your password"}`.
"""

import re
from typing import Final

_LONGEST: Final = 120
_SHORT: Final = 5
_EDGE: Final = re.compile(r"[\W_]+")
_MIXED: Final = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]|[!-~]{24}")
_FIELDS: Final = re.compile(
    "password|passphrase|passcode|token|secret|pin|key|otp|code|cookie|credential|session"
)
_SAID: Final = re.compile(
    r"\b(?:again|at least|characters|choose|confirm|current|does not|enter|expired|field"
    r"|forgot(?:ten)?|hide|incorrect|invalid|match|missing|must|needed|not (?:found|set|valid)"
    r"|optional|please|provided|repeat|required|reset|retype|show|too (?:long|short|weak)|wrong)\b"
    r"|\A(?:add|change|copy|create|new|no|old|regenerate|remove|revoke|set|your)\b"
)
"""Not what may as well be said in a passphrase: `this is my password`."""
_FOREIGN: Final = re.compile(
    r"(?=.*(?:パスワード|パスコード|暗証番号|合言葉|トークン|認証コード|シークレット|APIキー|[0-9０-９](?:文字|桁)))"
    r"(?=.*(?:ください|下さい|ません|必須|任意|以上|以内|新しい|現在|確認|再|入力|変更|忘れ|期限|無効|不正))"
    r"(?:[ぁ-んァ-ヶー一-龠々〜～・、。！？!?（）()「」『』\u3000 ]|API"
    r"|[0-9０-９]{1,3}(?=[ 〜～\-]?(?:[0-9０-９]{1,3})?[文桁字回分日時個]))+"
)
_TITLE: Final = re.compile(r"(?!My )[A-Z][A-Za-z\-]{1,16}(?: [a-zA-Z\-]{1,16}){1,3}")
_LAST_WORD: Final = re.compile(r"(?:[A-Z]|(?<![a-z]))[a-z]{3,16}\Z")
_NAMES: Final = frozenset(
    {"パスワード", "パスコード", "暗証番号", "トークン", "認証コード", "シークレット", "合言葉"}
)


_MESSAGE: Final = re.compile(
    r"(?:(?:(?i:this|the|your) )?(?i:field|value|input|string"
    r"|password|passphrase|passcode|token|code|secret|pin) )?"
    r"(?i:is|are|must|should|may|can(?:not|'t)|do(?:es)?|has|have|too|please|ensure|required)\b"
    r"(?: [A-Za-z0-9'()\-]{1,16}[,.:;)]?){1,16}[.!]?"
)
_MESSAGE_WORDS: Final = re.compile(
    r"\b(?:already|blank|characters|contain|digits?|empty|expired|invalid|least|matching|minimum"
    r"|maximum|null|numeric|required|too (?:common|long|short|similar|weak)|valid|wrong)\b"
)
"""`is too short (minimum is 12 characters)`: what frameworks say of a field without its name."""


_STATE: Final = re.compile(
    r"[（(]?(?:未(?:設定|登録|入力|発行|使用|確認|取得|定)|(?:設定|登録|発行|入力|変更|更新|送信|確認|使用)(?:済み?"
    r"|なし|あり)"
    r"|なし|あり|無し|有り|有効|無効|必須|任意|不要|非表示|非公開|空欄|不明|不正|不一致|同上"
    r"|期限切れ|失効|エラー)(?:です|でした)?[。）)]{0,2}"
)
"""What is said about a secret in its place: `接続情報：未設定`."""


def is_state(value: str) -> bool:
    """Whether a value says how it is with a secret: `未設定`."""
    return _STATE.fullmatch(value) is not None


def is_label(key: str, value: str) -> bool:
    """Whether a value is what a page calls the field of this key or says of it."""
    if len(value) > _LONGEST or _MIXED.search(value):
        return False
    bare, name = _EDGE.sub("", value), _EDGE.sub("", key)
    if not value.isascii():
        return bare == name or bare in _NAMES or _FOREIGN.fullmatch(value) is not None
    if bare.lower() == name.lower():
        is_short = value[1:2].islower() or len(value) < _SHORT or " " in value
        return value[:1].isupper() and is_short
    lower = value.lower()
    last = _LAST_WORD.search(key)
    if (
        last
        and _TITLE.fullmatch(value)
        and lower.endswith((f" {last[0].lower()}", f" {last[0].lower()}s"))
    ):
        return True  # API tokens
    if _MESSAGE.fullmatch(value) and _MESSAGE_WORDS.search(lower):
        return True
    return (
        " " in lower
        and _SAID.search(lower) is not None
        and any(field in lower for field in _FIELDS.findall(key.lower()))
    )
