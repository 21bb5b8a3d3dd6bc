"""Types of settings whose values have a form of their own: each says in one sentence what it is."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr

from app.client_address import networks
from app.config_errors import problem
from app.lib.tracelog.capture.sampling import Sampling

ProviderName = Literal["github", "google"]
PROVIDERS: Final[Mapping[ProviderName, str]] = {"github": "GitHub", "google": "Google"}
"""Services whose accounts people can sign in with, and what they are called."""


def is_transaction_pooler(url: str) -> bool:
    """Whether a PostgreSQL URL is that of Supabase's pooler which lends connections out briefly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.port == 6543 and host.endswith((".pooler.supabase.com", ".supabase.co"))


def is_supabase_direct(host: str) -> bool:
    """Whether a host is that of Supabase's database itself, which has an IPv6 address only."""
    return host.startswith("db.") and host.endswith(".supabase.co")


def _secret_key(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < 32:
        raise problem(
            "must have at least 32 characters; leave it empty and "
            "`python3 manage.py run` writes a good one into .env",
            "は 32 文字以上にしてください。空にすると、"
            "`python3 manage.py run` が .env に新しく書き込みます",
        )
    return value


def _origin(value: str) -> str:
    value = value.rstrip("/")
    if value and not _is_url(value, {"http", "https"}, path=False):
        raise problem(
            "must look like https://app.example.com, without a path",
            "は https://app.example.com の形で、パスを付けずに書いてください",
        )
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise problem(
            "must be the name of a time zone, such as Asia/Tokyo",
            "は Asia/Tokyo のようなタイムゾーンの名前にしてください",
        ) from None
    return value


def _database(value: str) -> str:
    if value.startswith("sqlite:///") and value[10:] not in {"", ":memory:"} and "?" not in value:
        return value
    if "[YOUR-PASSWORD]" in value:
        raise problem(
            "still holds [YOUR-PASSWORD]; put the database's password there, "
            "with special characters percent-encoded",
            "に [YOUR-PASSWORD] が残っています。データベースのパスワードに置き換えてください"
            "（記号はパーセントエンコードします）",
        )
    if not _is_url(value, {"postgres", "postgresql"}) or _has_raw_signs(value):
        raise problem(
            "must be sqlite:///FOLDER/FILE.db or postgresql://USER:PASSWORD@HOST:5432/NAME, "
            "with special characters in the password percent-encoded",
            "は sqlite:///フォルダー/ファイル.db か "
            "postgresql://ユーザー:パスワード@ホスト:5432/名前 の形にしてください"
            "（パスワードの記号はパーセントエンコードします）",
        )
    if is_transaction_pooler(value):
        raise problem(
            "must not be Supabase's transaction pooler (port 6543): jobs need a session; "
            "take the session pooler, the same with port 5432",
            "に Supabase の transaction pooler（ポート 6543）は使えません。"
            "ジョブにはセッションが必要です。session pooler（ポート 5432）にしてください",
        )
    return value


def _turso(value: str) -> str:
    is_file = value.startswith("file:") and value not in {"file:", "file://"}
    if value and not is_file and not _is_url(value, {"libsql", "https", "http"}):
        raise problem(
            "must look like libsql://NAME.turso.io (https:// and file:PATH work too); "
            "empty, the log stays in a local file",
            "は libsql://名前.turso.io の形にしてください（https:// と file:パス も使えます）。"
            "空ならログはローカルファイルに置かれます",
        )
    return value


def _supabase(value: str) -> str:
    value = value.rstrip("/")
    if value and not _is_url(value, {"https", "http"}):
        raise problem(
            "must look like https://PROJECT.supabase.co",
            "は https://プロジェクト.supabase.co の形にしてください",
        )
    return value


def _service(value: str) -> str:
    value = value.rstrip("/")
    if value and not _is_url(value, {"https", "http"}):
        raise problem(
            "must look like https://api.example.com/v1",
            "は https://api.example.com/v1 の形にしてください",
        )
    return value


def _header_secret(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]*", value.get_secret_value()):
        raise problem(
            "must have no blanks, and no characters but those of ASCII",
            "には空白や ASCII 以外の文字を入れないでください",
        )
    return value


def _split(value: object) -> object:
    return re.split(r"[\s,]+", value.strip(" ,")) if isinstance(value, str) else value


def _proxies(value: object) -> object:
    names = _split(value)
    try:
        networks(names if isinstance(names, list) else ())
    except ValueError:
        raise problem(
            "must be networks such as 10.0.0.0/8, or `private` or `cloudflare`, "
            "separated by commas",
            "には 10.0.0.0/8 のようなネットワークか private、cloudflare を"
            "カンマで区切って書いてください",
        ) from None
    return names


def _patterns(value: object) -> object:
    patterns = value.split() if isinstance(value, str) else value
    for pattern in patterns if isinstance(patterns, list) else ():
        try:
            re.compile(pattern)
        except re.error:
            raise problem(
                "must be regular expressions separated by blanks, with \\s for a blank in one",
                "には正規表現を空白で区切って並べてください（中の空白は \\s と書きます）",
            ) from None
    return patterns


def _sampling(value: object) -> object:
    rules = value.split() if isinstance(value, str) else value
    try:
        Sampling.parse(rules if isinstance(rules, list) else ())
    except ValueError:
        raise problem(
            "must be rules like GET:/items=0.1 or /api=0.5, separated by blanks; "
            "the share is between 0 and 1",
            "には GET:/items=0.1 や /api=0.5 のような規則を空白で区切って並べてください"
            "（割合は 0 から 1 まで）",
        ) from None
    return rules


def _bucket(value: str) -> str:
    if value and not re.fullmatch(r"[a-zA-Z0-9][\w.-]{0,99}", value, re.ASCII):
        raise problem(
            "must be the name of a bucket: letters, digits, points and dashes",
            "にはバケットの名前を書いてください（英数字、ピリオド、ハイフン）",
        )
    return value


def _has_raw_signs(value: str) -> bool:
    """Whether `@`, or `%` before anything but two digits, stands where it cannot in a URL.

    Then a password holds it as it is, and its end would be taken for the host and told.
    """
    return value.count("@") > 1 or bool(re.search(r"%(?!0[1-9a-f]|[1-9a-f][0-9a-f])", value, re.I))


def _is_url(value: str, schemes: set[str], *, path: bool = True) -> bool:
    """Whether `value` is a URL of one of `schemes`, with a host (or `?host=`) and a sane port."""
    try:
        parts = urlsplit(value)
        port = parts.port
        host = (parts.hostname or "").encode("idna")  # as it is looked up; no label may be empty
    except ValueError:
        return False
    if re.search(rb"\s", host):
        return False
    has_host = bool(host) or "host=" in parts.query
    return parts.scheme in schemes and has_host and port != 0 and (path or not parts.path)


SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]
Origin = Annotated[str, AfterValidator(_origin)]
ZoneName = Annotated[str, AfterValidator(_zone)]
DatabaseURL = Annotated[str, AfterValidator(_database)]
TursoURL = Annotated[str, AfterValidator(_turso)]
ServiceURL = Annotated[str, AfterValidator(_service)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_header_secret)]
SupabaseURL = Annotated[str, AfterValidator(_supabase)]
BucketName = Annotated[str, AfterValidator(_bucket)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Separated by commas or blanks."""
Providers = Annotated[tuple[ProviderName, ...], BeforeValidator(_split)]
Proxies = Annotated[tuple[str, ...], BeforeValidator(_proxies)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns)]
SamplingRules = Annotated[tuple[str, ...], BeforeValidator(_sampling)]
