"""Secrets in Japanese sentences, and codes in those of other languages."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import is_hidden, looks_chosen, mixes
from app.lib.tracelog.redaction.plain import MARKER

_FOREIGN_CODE: Final = re.compile(
    r"(?i)((?:(?:dein|ihr|votre|ton) code|(?:tu|su|seu) código|il tuo codice"
    r"|(?:bestätigungs|sicherheits|verifizierungs|einmal|anmelde)code"
    r"|code (?:de (?:vérification|sécurité|confirmation|connexion)|d'accès)"
    r"|código de (?:verificación|verificação|seguridad|segurança|confirmación|confirmação|acceso"
    r"|acesso)"
    r"|codice di (?:verifica|sicurezza|conferma|accesso)|код(?: (?:подтверждения|доступа))?"
    r"|(?:doğrulama|onay|güvenlik) kodu(?:nuz)?|mã (?:xác (?:thực|minh|nhận)|otp)|รหัส(?: ?otp"
    r"|ยืนยัน)?|otp)"
    r"(?: của bạn)?(?: (?:lautet|ist|est|es|é|è|là|คือ|jest|adalah))?:? )"
    r"[0-9](?:[ \-]?[0-9]){3,9}+"
)
_CODE_NAMES: Final = (
    r"(?:(?:暗証|認証|確認)番号|(?:暗証|認証|確認|ログイン|セキュリティー?|リカバリー|復旧|ピン"
    r"|PIN|SMS)コード|パスコード"
    r"|ワンタイムパスワード|验证码|驗證碼|校验码|인증번호)"
)
_CODE: Final = re.compile(
    rf"((?:{_CODE_NAMES}|(?:キーボックス|オートロック|金庫|郵便受け|ポスト|ロッカー|玄関|宅配ボックス|ダイヤル錠|ナンバーロック|南京錠|解錠|開錠"
    rf"|入館|入室)の?(?:番号|コード)[はがを:：]?|マイナンバー|個人番号|カード番号|口座番号|"
    rf"(?<![一-龠ァ-ヶーA-Za-z])コード(?=は[0-9]{{6}}(?:です|でした)"
    rf"|[「『【][0-9０-９]{{4,8}}[」』】]を|[ \u3000]?[0-9０-９]{{4,8}}"
    rf"[ \u3000]?を(?:ご)?入力))"
    r"(?:(?:[4-8４-８]桁)?[はが:：]|に(?=[0-9０-９]{4,8}を))?"
    r"[ \u3000「『【\[［(（]?(?:<[a-z]{1,8}>)?)"
    r"[0-9０-９](?:[ \-‐－ー]?[0-9０-９]){3,15}+"
)
_CODE_FIRST: Final = re.compile(
    rf"(?<![0-9０-９])(?:[0-9０-９]{{4,8}}|[0-9]{{3}}[\-‐ー][0-9]{{3}})"
    rf"(?=[」』】\])）]?[ \u3000]?[がは][ \u3000]?"
    rf"(?:[^\s、。\n]{{1,20}}[ \u3000]?の[ \u3000]?)?{_CODE_NAMES}"
    r"(?:です|でした|だ|に|と|[、。]|\Z))"
)
_NAMES: Final = (
    r"(?:パスワード|パスコード|パスフレーズ|合言葉|トークン|シークレット|秘密鍵|セッションID"
    r"|(?:API|アクセス|シークレット|ライセンス|秘密|暗号化?|署名|認証)キー)"
)
_GLUED: Final = re.compile(
    rf"((?:{_NAMES}|(?:暗証|認証|確認|ログイン|復旧|解除|アクセス)コード))"
    r"(?P<value>[!-~]{6,128}+)(?=[をがはでにと、。]|\Z)"
)
_NUMBERED: Final = re.compile("[a-z]{4,16}[0-9]{2,6}")
_IN_BRACKETS: Final = re.compile(
    rf"((?:{_NAMES}|暗証番号|(?:認証|ログイン|接続)情報|密码|비밀번호|PW|ＰＷ)[はが]?"
    r"[(（【\[［](?:[\w.@\-]{1,64}[ \u3000]?[/／][ \u3000]?)?)"
    r"(?P<value>[!-&*-Z^-~]{6,128}+)(?=[)）】\]］])"
)
_WATCHWORD: Final = re.compile(
    r"((?:合言葉|秘密の(?:質問の)?答え)は[ \u3000]?)"
    r"(?!(?:必要|不要|必須|任意|秘密|募集|変更|設定|公開|同じ|何|以下|次|下記|未|なし|ない))[^\s、。「」『』\n]{2,20}?"
    r"(?=[ \u3000]?(?:です|でした)(?![か？]))"
)
_PASSWORD: Final = re.compile(
    r"(パスワードは[ \u3000]?)(?!半角|全角|残り|最[大小低]|前回|計)[ぁ-んァ-ヶー一-龠A-Za-z]{1,12}"
    r"[0-9]{2,8}(?=[ \u3000]?(?:です|でした))"
)
_VALUE_OF: Final = re.compile(
    r"((?:パスワード|パスコード|暗証番号|合言葉|トークン|コード|キー)[」』】]?の(?:入力)?値[はが]?"
    r"[ \u3000:：]?(?P<quote>[「『'\"]))(?!必須|任意|不正|無効|未設定|なし|空)"
    r"[^「」『』'\"\n]{2,128}"
)
_QUALIFIED: Final = re.compile(
    r"((?:パスワード|パスコード|トークン|パス|PW)(?:[はがを][ぁ-んァ-ヶー一-龠]{1,10}|の(?:入力)?値[はが]?)"
    r"[ \u3000]?)"
    r"(?P<value>[!-~]{6,128}+)"
)
_USED: Final = re.compile(
    rf"({_NAMES}(?:に|として)、?[ \u3000]?)(?P<value>[!-~]{{6,128}}+)"
    r"(?=[ \u3000]?を(?:使|用い|設定|指定|入力|登録))"
)
_BEFORE: Final = re.compile(
    r"(?P<value>(?<![!-~])[!-~]{6,128}+)"
    rf"(?=[」』]?[がは][^\s、。]{{0,10}}?{_NAMES}(?:です|でした|だ|に|と|[、。]|\Z))"
)
"""`neko22abが初期パスワードです`"""
_KEY: Final = re.compile(
    r"((?:(?<![ァ-ヶ主部])キー|(?<!公開)鍵)[はがを][ \u3000「]?)"
    r"(?P<value>[A-Za-z0-9+/_\-=]{20,256}+)(?![.:])"
)
_OPEN_WATCHWORD: Final = re.compile(
    r"(?:合言葉|パスワード|秘密の(?:質問の)?答え)は[^、。\n]{0,24}\Z"
)
_FOREIGN_STATED: Final = re.compile(
    r"(?i)((?:mật khẩu|kata sandi|hasło|heslo|jelszó|şifre\w{0,6}|пароль|wachtwoord|lösenord"
    r"|salasana"
    r"|adgangskode|รหัสผ่าน|contraseña|senha|mot de passe)(?: \w{1,12}){0,2}?"
    r" (?:là|jest|je|adalah|это|is|är|on|er|คือ|es|é|est) )(?P<value>[!-~]{6,128}+)"
)
_ACCOUNT: Final = re.compile(
    r"((?:普通|当座|貯蓄|[（(][普当貯](?=[）)]))(?:預金|口座)?[)）]?"
    r"[ \u3000]?(?:口座)?(?:番号)?[ \u3000:：]?)[0-9０-９]{7}(?![0-9０-９]|[ \u3000]?円)"
)
_POSTAL: Final = re.compile(
    r"(記号[ \u3000:：]?1[0-9]{4}(?:-[0-9])?[ \u3000、,]{0,2}番号[ \u3000:：]?)[0-9]{2,8}"
)
_STATED_LOGIN: Final = re.compile(
    r"((?:認証|ログイン|アカウント|ID|PASS|PW|パスワード)(?:情報)?[はが:：][ \u3000]?"
    r"[\w.@\-]{1,64}[ \u3000]?[/／][ \u3000]?)"
    r"(?P<value>[!-.0-~]{6,128}+)"
)
_LOGIN: Final = re.compile(
    r"([\w.@\-]{1,64}+[ \u3000]?[/／][ \u3000]?)(?P<value>[!-.0-~]{6,128}+)"
    r"(?=[ \u3000]?で(?:ログ|サイン)イン)"
)
_OPEN_CODE: Final = re.compile(r"[0-9０-９]{4,8}[」』】\])）]?[ \u3000]?(?:[がはを][^\n]{0,40})?\Z")
_OPEN_LOGIN: Final = re.compile(
    r"[/／][ \u3000]?[!-.0-~]{6,128}+[ \u3000]?(?:で[ログサイ]{0,4})?\Z"
)


_FOREIGN_WORDS: Final = (
    "ode ", "odice ", "ódigo ", "код", "kodu", "mã ", "รหัส", "otp ", "khẩu", "sandi", "hasło",
    "heslo", "jelszó", "şifre", "пароль", "wachtwoord", "lösenord", "salasana", "adgangskode",
    "contraseña", "senha", "mot de passe",
)  # fmt: skip
_DIGITS: Final = re.compile("[0-9０-９]{4}|[0-9０-９][ \\-‐－ー][0-9０-９]")


_CHANGED: Final = re.compile(
    r"(パスワードを?変更[ \u3000:：]{0,2})(?P<old>[!-~]{6,128}+)"
    r"([ \u3000]?(?:→|⇒|->|から)[ \u3000]?)"
    r"(?P<new>[!-~]{6,128}+)"
)


_BECAME: Final = re.compile(
    r"([暗認確パト][^\s、。\n]{1,12}[はがを][ \u3000]?\[redacted\][ \u3000]?から[ \u3000]?)"
    r"(?=[!-~]{0,128}[0-9])[!-Z\^-~]{4,128}+(?=[ \u3000]?[にへ])"
)
"""`暗証番号を[redacted]から9930に変更`"""
_OPEN_CHANGE: Final = re.compile(r"(パスワードを?変更[ \u3000:：]{0,2})[!-~]{6,128}[^\n]{0,4}\Z")


def hide_stated_in_other_languages(text: str) -> str:
    """Text without what stands right beside the word for what it is: `暗証番号0918`."""
    if _DIGITS.search(text):
        text = _CODE_FIRST.sub(MARKER, _CODE.sub(rf"\g<1>{MARKER}", text))
    if "ード" in text or "ークン" in text or "レット" in text or "キー" in text:
        text = _GLUED.sub(_hide_glued, text)
    if "(" in text or "（" in text or "【" in text or "[" in text or "［" in text:
        text = _IN_BRACKETS.sub(_hide_mixed, text)
    if "値" in text:
        text = _VALUE_OF.sub(rf"\g<1>{MARKER}", text)
    if "ードは" in text or "ードの" in text:
        text = _QUALIFIED.sub(_hide_chosen, _PASSWORD.sub(rf"\g<1>{MARKER}", text))
    if "に" in text or "として" in text:
        text = _USED.sub(_hide_mixed, text)
    if "が" in text or "は" in text:
        text = _BEFORE.sub(_hide_before, text)
    if "キー" in text or "鍵" in text:
        text = _KEY.sub(_hide_keyed, text)
    if "]から" in text or "] から" in text:
        text = _BECAME.sub(rf"\g<1>{MARKER}", text)
    if "ード変更" in text or "ードを変更" in text:
        text = _CHANGED.sub(_hide_both, text)
    if "合言葉" in text or "答え" in text:
        text = _WATCHWORD.sub(rf"\g<1>{MARKER}", text)
    if "普" in text or "当" in text or "貯" in text:
        text = _ACCOUNT.sub(rf"\g<1>{MARKER}", text)
    if "記号" in text:
        text = _POSTAL.sub(rf"\g<1>{MARKER}", text)
    if "/" in text or "／" in text:
        text = _LOGIN.sub(_hide_chosen, _STATED_LOGIN.sub(_hide_mixed, text))
    return hide_stated_in_foreign_words(text) if " " in text else text


def hide_stated_in_foreign_words(text: str) -> str:
    """Text without passwords and codes that are stated in languages with spaces."""
    lower = text.lower()
    if any(word in lower for word in _FOREIGN_WORDS):
        text = _FOREIGN_STATED.sub(_hide_mixed, text)
        text = _FOREIGN_CODE.sub(rf"\g<1>{MARKER}", text)
    return text


def without_open_secret(text: str) -> str:
    """Cut-off text without what the rest may have called a secret: `0918は暗証番号です`."""
    text = _OPEN_CHANGE.sub(r"\g<1>", text)
    return _OPEN_WATCHWORD.sub("", _OPEN_LOGIN.sub("", _OPEN_CODE.sub("", text)))


def _hide_both(match: re.Match[str]) -> str:
    if not (mixes(match["old"]) or mixes(match["new"])):
        return match[0]
    return f"{match[1]}{MARKER}{match[3]}{MARKER}"


def _hide_before(match: re.Match[str]) -> str:
    return MARKER if looks_chosen(match["value"]) else match[0]


def _hide_mixed(match: re.Match[str]) -> str:
    return match[1] + MARKER if mixes(match["value"]) else match[0]


def _hide_glued(match: re.Match[str]) -> str:
    is_chosen = looks_chosen(match["value"]) or (
        match[1].startswith("パス") and _NUMBERED.fullmatch(match["value"])
    )
    return match[1] + MARKER if is_chosen else match[0]


def _hide_keyed(match: re.Match[str]) -> str:
    return match[1] + MARKER if is_hidden(Rule.KEYED, match["value"]) else match[0]


def _hide_chosen(match: re.Match[str]) -> str:
    return match[1] + MARKER if looks_chosen(match["value"]) else match[0]
