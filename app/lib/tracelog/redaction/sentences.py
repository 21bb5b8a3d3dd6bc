"""Secrets in Japanese sentences, and codes in those of other languages."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys import looks_chosen
from app.lib.tracelog.redaction.plain import MARKER

_FOREIGN_CODE: Final = re.compile(
    r"(?i)((?:(?:bestätigungs|sicherheits|verifizierungs|einmal|anmelde)code"
    r"|code (?:de (?:vérification|sécurité|confirmation|connexion)|d'accès)"
    r"|código de (?:verificación|verificação|seguridad|segurança|confirmación|confirmação|acceso"
    r"|acesso)"
    r"|codice di (?:verifica|sicurezza|conferma|accesso))(?: (?:lautet|ist|est|es|é|è))?:? )"
    r"[0-9](?:[ \-]?[0-9]){3,9}+"
)
_CODE_NAMES: Final = (
    r"(?:(?:暗証|認証)番号|(?:暗証|認証|確認|ログイン|セキュリティー?|リカバリー|復旧|ピン|PIN)コード|パスコード"
    r"|ワンタイムパスワード)"
)
_CODE: Final = re.compile(
    rf"((?:{_CODE_NAMES}|マイナンバー|個人番号|カード番号|口座番号|(?<![一-龠ァ-ヶー])コード(?=[「『【][0-9０-９]{{4,8}}[」』】]を))"
    r"[ \u3000「『【\[(（]?)[0-9０-９](?:[ \-‐－ー]?[0-9０-９]){3,15}+"
)
_CODE_FIRST: Final = re.compile(
    rf"(?<![0-9０-９])[0-9０-９]{{4,8}}(?=[」』】\])）]?[ \u3000]?[がは][ \u3000]?{_CODE_NAMES}"
    r"(?:です|でした|だ|に|と|[、。]|\Z))"
)
_GLUED: Final = re.compile(
    r"((?:パスワード|パスコード|トークン|シークレット|(?:暗証|認証|確認|ログイン|復旧|解除|アクセス)コード"
    r"|(?:API|アクセス|秘密|暗号化?|認証)キー))(?P<value>[!-~]{6,128}+)(?=[をがはでにと、。]|\Z)"
)
_ACCOUNT: Final = re.compile(
    r"((?:普通|当座|貯蓄)(?:預金|口座)?[)）]?[ \u3000]?(?:口座)?(?:番号)?[ \u3000:：]?)"
    r"[0-9０-９]{7}(?![0-9０-９]|[ \u3000]?円)"
)
_POSTAL: Final = re.compile(
    r"(記号[ \u3000:：]?1[0-9]{4}(?:-[0-9])?[ \u3000、,]{0,2}番号[ \u3000:：]?)[0-9]{2,8}"
)
_STATED_LOGIN: Final = re.compile(
    r"((?:認証|ログイン|アカウント|ID)(?:情報)?[はが:：][ \u3000]?"
    r"[\w.@\-]{1,64}[ \u3000]?[/／][ \u3000]?)"
    r"(?P<value>[!-.0-~]{6,128}+)"
)
_LOGIN: Final = re.compile(
    r"([\w.@\-]{1,64}+[ \u3000]?[/／][ \u3000]?)(?P<value>[!-.0-~]{6,128}+)"
    r"(?=[ \u3000]?で(?:ログ|サイン)イン)"
)
_OPEN_CODE: Final = re.compile(r"[0-9０-９]{4,8}[」』】\])）]?[ \u3000]?(?:[がはを][^\n]{0,12})?\Z")
_OPEN_LOGIN: Final = re.compile(
    r"[/／][ \u3000]?[!-.0-~]{6,128}+[ \u3000]?(?:で[ログサイ]{0,4})?\Z"
)


def hide_stated_in_other_languages(text: str) -> str:
    """Text without what stands right beside the word for what it is: `暗証番号0918`."""
    text = _CODE_FIRST.sub(MARKER, _CODE.sub(rf"\g<1>{MARKER}", text))
    if "ード" in text or "ークン" in text or "レット" in text or "キー" in text:
        text = _GLUED.sub(_hide_chosen, text)
    if "普通" in text or "当座" in text or "貯蓄" in text:
        text = _ACCOUNT.sub(rf"\g<1>{MARKER}", text)
    if "記号" in text:
        text = _POSTAL.sub(rf"\g<1>{MARKER}", text)
    if "/" in text or "／" in text:
        text = _LOGIN.sub(_hide_chosen, _STATED_LOGIN.sub(_hide_chosen, text))
    if "ode " in text or "odice " in text or "ódigo " in text:
        text = _FOREIGN_CODE.sub(rf"\g<1>{MARKER}", text)
    return text


def without_open_secret(text: str) -> str:
    """Cut-off text without what the rest may have called a secret: `0918は暗証番号です`."""
    return _OPEN_LOGIN.sub("", _OPEN_CODE.sub("", text))


def _hide_chosen(match: re.Match[str]) -> str:
    return match[1] + MARKER if looks_chosen(match["value"]) else match[0]
