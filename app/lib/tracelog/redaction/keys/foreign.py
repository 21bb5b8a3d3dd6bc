"""Secret words that are not English: in other scripts, and in letters that only look Latin."""

from typing import Final

FOREIGN_STEMS: Final = (
    "パスワード",
    "パスフレーズ",
    "パスコード",
    "暗証番号",
    "暗証コード",
    "暗証",
    "秘密鍵",
    "秘密キー",
    "秘密の答え",
    "秘密の質問の答え",
    "秘密の質問の回答",
    "シークレットキー",
    "シークレット",
    "合言葉",
    "認証コード",
    "認証用コード",
    "確認用コード",
    "ログイン用コード",
    "ギフトコード",
    "保険証番号",
    "被保険者番号",
    "住民票コード",
    "復元フレーズ",
    "復旧フレーズ",
    "ぱすわーど",
    "確認コード",
    "ログインコード",
    "認証番号",
    "認証情報",
    "ログイン情報",
    "接続情報",
    "認証キー",
    "ワンタイム",
    "トークン",
    "アクセスキー",
    "apiキー",
    "暗号鍵",
    "暗号化キー",
    "署名鍵",
    "署名キー",
    "マスターキー",
    "確認番号",
    "解錠番号",
    "解錠コード",
    "開錠番号",
    "母の旧姓",
    "母親の旧姓",
    "マイナンバー",
    "個人番号",
    "基礎年金番号",
    "カード番号",
    "クレジットカード",
    "セキュリティコード",
    "セキュリティーコード",
    "口座番号",
    "クッキー",
    "セッションid",
    "セッションキー",
    "ピンコード",
    "pinコード",
    "解除番号",
    "アクセスコード",
    "解除コード",
    "ライセンスキー",
    "シリアルキー",
    "復旧キー",
    "バックアップコード",
    "招待コード",
    "プロダクトキー",
    "共有キー",
    "共有鍵",
    "共通鍵",
    "復号キー",
    "パスポート番号",
    "旅券番号",
    "免許証番号",
    "リカバリーコード",
    "復旧コード",
    "復元コード",
    "引き継ぎコード",
    "引継ぎコード",
    "引継コード",
    "合い言葉",
    "リカバリーフレーズ",
    "シードフレーズ",
    "ニーモニック",
    "暗証码",
    "密码",
    "密碼",
    "密钥",
    "密鑰",
    "口令",
    "令牌",
    "验证码",
    "驗證碼",
    "비밀번호",
    "패스워드",
    "암호",
    "토큰",
    "인증번호",
    "인증코드",
    "пароль",
    "токен",
    "contraseña",
    "lösenord",
    "jelszó",
    "slaptažodis",
    "парола",
    "лозинка",
    "кодподтверждения",
    "पासवर्ड",
    "κωδικόσπρόσβασησ",
    "hasło",
    "şifre",
    "mậtkhẩu",
    "รหัสผ่าน",
    "รหัสลับ",
    "รหัสยืนยัน",
    "โทเค็น",
    "كلمةالمرور",
    "كلمةالسر",
    "סיסמה",
)
"""Secret words outside ASCII (after NFKC and case folding), without the spaces in them."""

FOREIGN_PHRASE_ENDS: Final = frozenset(
    {"khẩu", "المرور", "السر", "подтверждения", "πρόσβασης", "番号"}
)
"""The last words of those that are written with a space, or apart: `{"口座": {"番号": …}}`."""

FOREIGN_ENDS: Final = (
    "[ドどﾞン号語証鍵葉ー答码碼钥鑰令牌호큰ь]",
    "ット",
    "ンID",
    "パス",
    "レーズ",
    "証情報",
    "答え",
    "ผ่าน",
    "คือ",
)
"""How those end that stand before their value without a sign: `暗証番号は 0918`. Patterns."""

_SPACE: Final = "[ \u3000]"
STATED: Final = (
    rf"(?:D|{'|'.join(FOREIGN_ENDS)})(?:(?:[はがを是为為는은（】\]］)）＞〉／]"
    rf"|{_SPACE})、?{_SPACE}?"
    rf"[#＃\"'“]?[\[A-Za-z0-9]|[【\[［(（]?[0-9]{{4}})|[A-Za-z]{_SPACE}?[はがをに]、?{_SPACE}?[A-Za-z0-9]"
    rf"|[)）][はが]、?{_SPACE}?[!-~]|合言葉は|答えは|ードは|[ドン号葉トズ码호wWＷ][はが]?["
    rf"(（【\[［][!-~]{{6}}"
    rf"|[0-9]{{4}}[」』】\])）]?{_SPACE}?[がはを]{_SPACE}?[暗認確ロセリ復ピPパワ]"
    r"|(?:ード|ークン|ーット|レット|キー)[!-~]{6}|[ド号葉ンー]の(?:入力)?値|で(?:ログ|サイン)イン"
    rf"|(?:ード|ズ|葉|ン|ット|鍵|D|キー)(?:に|として)、?{_SPACE}?[!-~]{{6}}"
    rf"|[!-~][」』]?[がは](?:新し|仮|初期|現在|管理|パス|合言|トーク|シー|秘密|セッ|API|アク|ライ|暗号|署名|認証)"
    rf"|[番コ](?:号|ード)[はがを]?{_SPACE}?[0-9]{{3}}"
    rf"|[0-9][」』】\])）]?{_SPACE}?[がはを]{_SPACE}?[A-Z一-龠ァ-ヶ]"
    rf"|khẩu |hasło|şifre|пароль|код |kodu |xác |รหัส|OTP คือ|码[0-9]{{4}}|碼[0-9]{{4}}|번호"
    rf"|記号{_SPACE}?1[0-9]{{4}}|ódigo |odice "
    rf"|(?:普通|当座|貯蓄|[普当貯](?:[)）]))(?:預金|口座)?[)）]?{_SPACE}?(?:口座)?(?:番号)?{_SPACE}?[0-9]{{7}}"
)
"""Where such a word may have its value beside it without a sign. A pattern for `re` and Rust's."""

FOREIGN_COUNT_TAILS: Final = (
    "残り",
    "残数",
    "残高",
    "使用量",
    "消費量",
    "数",
    "上限",
    "長",
    "長さ",
    "文字数",
    "桁数",
    "下4桁",
    "末尾4桁",
    "変更日",
    "更新日",
    "設定日",
    "設定済み",
    "期限",
    "有効期限",
    "有効期間",
    "有無",
    "有効",
    "必須",
    "长度",
    "長度",
    "位数",
    "数量",
    "有效期",
    "길이",
)
"""What follows a foreign secret word in a key that measures it: トークン数."""

FOREIGN_COUNT_ENDS: Final = (
    "文字数",
    "桁数",
    "件数",
    "回数",
    "人数",
    "日数",
    "単価",
    "料金",
    "日時",
)

FOREIGN_COUNT_HEADS: Final = (
    "残り", "合計", "総", "最大", "最小", "上限", "使用トークン", "消費トークン", "入力トークン",
    "出力トークン",
)  # fmt: skip
"""What stands before one that is counted: 残りトークン."""

FOREIGN_LABEL_TAILS: Final = (
    "強度", "種類", "種別", "形式", "名", "名称", "管理", "期間", "状態", "欄",
    "画面", "要件", "ポリシー", "認証", "方式", "送信", "送信先",
)  # fmt: skip
"""What follows one in a key that describes it: パスワード強度."""

FOREIGN_ACTION_TAILS: Final = ("変更", "再設定", "入力")
"""What is done with one, and may stand before it: `パスワード入力: hunter2x`."""

FOREIGN_SENTENCE_ENDS: Final = (
    "失敗しました",
    "メールを送信しました",
    "失敗",
    "エラー",
    "ません",
    "せんでした",
)
"""How a sentence about one ends: アクセストークンの取得に失敗しました: 401."""

LOOKALIKES: Final = str.maketrans(
    "аеорсухіјѕһԁкАВЕКМНОРСТХУІЈЅοαρνικΑΒΕΖΗΙΚΜΝΟΡΤΥΧı",
    "aeopcyxijshdkABEKMHOPCTXYIJSoapvikABEZHIKMNOPTYXi",
)
"""Cyrillic, Greek and Turkish letters that nobody tells from Latin ones: `pаssword`."""
