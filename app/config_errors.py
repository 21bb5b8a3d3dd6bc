"""What is said of a setting that is wrong, in English and Japanese."""

from pathlib import Path
from typing import Final

from pydantic_core import ErrorDetails, PydanticCustomError

from app.lib.env_file import EnvFileError


class SettingsError(Exception):
    """A setting is wrong. One sentence names it, says why and how to mend it.

    `str(error)` is that sentence in English, `error.ja` the same in Japanese. Neither holds the
    setting's value.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.ja = ja


def problem(en: str, ja: str) -> PydanticCustomError:
    """What a check of one value raises; `invalid` puts the setting's name before it."""
    return PydanticCustomError("setting", "{en}", {"en": en, "ja": ja})


def invalid(detail: ErrorDetails, name: str, env_file: Path | None) -> SettingsError:
    """The error for the setting `name`, which `env_file` holds, or else the environment."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "setting":
            en, ja = context["en"], context["ja"]
        case "bool_parsing":
            en, ja = "must be true or false", "は true か false にしてください"
        case "int_parsing":
            en, ja = "must be a whole number, with nothing after it", "は整数だけを書いてください"
        case "greater_than_equal":
            en, ja = f"must be at least {context['ge']}", f"は {context['ge']} 以上にしてください"
        case "less_than_equal":
            en, ja = f"must be at most {context['le']}", f"は {context['le']} 以下にしてください"
        case "literal_error":
            en = f"must be {context['expected']}"
            ja = f"は {context['expected'].replace(' or ', ' か ')} にしてください"
        case _:
            en, ja = f"is not valid: {detail['msg']}", f"が正しくありません: {detail['msg']}"
    if env_file is None:
        return SettingsError(f"{name} in the environment {en}.", f"環境変数 {name} {ja}。")
    return SettingsError(f"{name} in {env_file} {en}.", f"{env_file} の {name} {ja}。")


_MALFORMED: Final = {
    "folder": (
        "is a folder, as Docker makes where it is to mount a file that is not there; remove it",
        "フォルダーです（マウントするファイルがないと Docker が作ります）。削除してください",
    ),
    "unreadable": ("cannot be read; check its permissions", "読めません。権限を確認してください"),
    "encoding": (
        "is not UTF-8; save it as UTF-8",
        "UTF-8 ではありません。UTF-8 で保存してください",
    ),
    "no-name": (
        "has no name before `=`; write NAME=value",
        "`=` の前に名前がありません。名前=値 と書いてください",
    ),
    "bad-name": (
        "has a name with blanks or signs in it; write NAME=value, without `export` and blanks",
        "名前に空白や記号があります。`export` や空白を入れずに 名前=値 と書いてください",
    ),
    "no-equals": (
        "is not NAME=value; a comment starts with #",
        "名前=値 の形ではありません。コメントは # で始めてください",
    ),
    "open-quote": (
        "has a value that starts with a quote and does not end with it; write it without quotes, "
        "and a comment on a line of its own",
        "値の引用符が閉じていません。引用符なしで書き、コメントは別の行にしてください",
    ),
    "control": (
        "has a character that cannot be seen, or ends as only old Macs end lines; write it anew",
        "見えない文字があるか、行の終わりが古い Mac の形式です。書き直してください",
    ),
}


def malformed(error: EnvFileError) -> SettingsError:
    """The error for a line of `.env` that cannot be read."""
    en, ja = _MALFORMED[error.problem]
    if error.line:
        return SettingsError(
            f"Line {error.line} of {error.path} {en}.", f"{error.path} の {error.line} 行目: {ja}。"
        )
    return SettingsError(f"{error.path} {en}.", f"{error.path}: {ja}。")
