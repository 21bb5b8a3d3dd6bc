"""Every setting of the app: its name, type, default and meaning.

Settings come from the process environment, then from `.env`. Nothing else reads either.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from app.client_address import networks
from app.lib.env_file import EnvFileError, read_env_file, strip_quotes
from app.lib.tracelog.capture.sampling import Sampling


class SettingsError(Exception):
    """A setting is wrong. One sentence names it, says why and how to mend it.

    `str(error)` is that sentence in English, `error.ja` the same in Japanese. Neither holds the
    setting's value.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.ja = ja


class Settings(BaseModel):
    """All settings. Field names are the environment variables in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` turns on what only makes sense in public."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; a container needs 0.0.0.0.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="At least 32 random characters; signs and encrypts."
    )
    public_origin: str = Field(
        "", description="Where browsers reach the app, such as https://app.example.com."
    )
    database_url: str = Field(
        "sqlite:///data/app.db", description="SQLite file or PostgreSQL URL of the app's data."
    )
    turso_url: str = Field(
        "", description="libsql:// or https:// URL of the log store; empty is a local file."
    )
    turso_token: SecretStr = Field(SecretStr(""), description="Token for `TURSO_URL`.")
    log_dir: Path = Field(Path("logs"), description="Folder of the trace log's CSV files.")
    log_body_bytes: Annotated[int, Field(ge=0, le=1_048_576)] = Field(
        16_384, description="How much of each request and response body the trace log keeps."
    )
    log_html: bool = Field(
        default=False, description="Whether that includes HTML pages; else only their size is kept."
    )
    log_retention_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        14, description="Days that rows of the trace log are kept; 0 keeps them for ever."
    )
    log_error_retention_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        90, description="The same for the rows of traces that failed."
    )
    log_max_bytes: Annotated[int, Field(ge=0)] = Field(
        1_073_741_824, description="Most bytes of the CSV files in `LOG_DIR`; 0 is no limit."
    )
    log_store_max_bytes: Annotated[int, Field(ge=0)] = Field(
        2_147_483_648, description="Most bytes of the log's database; 0 is no limit."
    )
    log_segment_bytes: Annotated[int, Field(ge=65_536)] = Field(
        67_108_864, description="Size at which a CSV file is sealed and a new one begun."
    )
    log_fsync: Literal["everysec", "always", "no"] = Field(
        "everysec", description="When rows are forced to the disk; `no` leaves it to the system."
    )
    log_redact_keys: tuple[str, ...] = Field(
        (), description="Further keys whose values the log hides, separated by commas."
    )
    log_redact_patterns: tuple[str, ...] = Field(
        (), description="Regular expressions of what else it hides, separated by blanks."
    )
    log_sampling: tuple[str, ...] = Field(
        (),
        description="How much of what went well the log keeps, such as `GET:/items=0.1 /api=0.5`.",
    )
    log_slow_ms: Annotated[int, Field(ge=0)] = Field(
        1000, description="Requests of this length are kept whatever `LOG_SAMPLING` says."
    )
    log_console: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether administrators may ask the log in SQL; `auto`: not in production.",
    )
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_048_576, description="The largest request body the app takes; more is answered with 413."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Networks of proxies in front, separated by commas; `private` is one."
    )
    smtp_host: str = Field("", description="Mail server; empty, mail stays in `/dev/mail`.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_user: str = Field("", description="Name to sign in there with; empty, without.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of `SMTP_USER`.")
    smtp_tls: Literal["starttls", "tls", "no"] = Field(
        "starttls", description="How the connection is encrypted; port 465 wants `tls`."
    )
    mail_from: str = Field("PFXDGRSbase <noreply@localhost>", description="Whom mail comes from.")
    rate_limit_factor: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1, description="Multiplies all rate limits; for many people behind one address."
    )
    supabase_url: str = Field("", description="URL of the Supabase project.")
    supabase_publishable_key: str = Field("", description="Supabase's publishable key.")
    supabase_secret_key: SecretStr = Field(SecretStr(""), description="Supabase's secret key.")
    supabase_jwt_secret: SecretStr = Field(
        SecretStr(""), description="Shared secret of tokens, for projects without signing keys."
    )
    supabase_auth_url: str = Field(
        "", description="URL of Supabase Auth; `$SUPABASE_URL/auth/v1` where empty."
    )

    _unquoted: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _auth_below_supabase(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("supabase_url") and not values.get("supabase_auth_url"):
            return {**values, "supabase_auth_url": values["supabase_url"].rstrip("/") + "/auth/v1"}
        return values

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise _problem(
                "must have at least 32 characters; leave it empty and "
                "`python3 manage.py run` writes a good one into .env",
                "は 32 文字以上にしてください。空にすると、"
                "`python3 manage.py run` が .env に新しく書き込みます",
            )
        return value

    @field_validator("public_origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not _is_url(value, {"http", "https"}, path=False):
            raise _problem(
                "must look like https://app.example.com, without a path",
                "は https://app.example.com の形で、パスを付けずに書いてください",
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value.startswith("sqlite:///") and value[10:] not in {"", ":memory:"}:
            return value
        if "[YOUR-PASSWORD]" in value:
            raise _problem(
                "still holds [YOUR-PASSWORD]; put the database's password there, "
                "with special characters percent-encoded",
                "に [YOUR-PASSWORD] が残っています。データベースのパスワードに置き換えてください"
                "（記号はパーセントエンコードします）",
            )
        if not _is_url(value, {"postgres", "postgresql"}):
            raise _problem(
                "must be sqlite:///FOLDER/FILE.db or postgresql://USER:PASSWORD@HOST:5432/NAME, "
                "with special characters in the password percent-encoded",
                "は sqlite:///フォルダー/ファイル.db か "
                "postgresql://ユーザー:パスワード@ホスト:5432/名前 の形にしてください"
                "（パスワードの記号はパーセントエンコードします）",
            )
        if is_transaction_pooler(value):
            raise _problem(
                "must not be Supabase's transaction pooler (port 6543): jobs need a session; "
                "take the session pooler, the same with port 5432",
                "に Supabase の transaction pooler（ポート 6543）は使えません。"
                "ジョブにはセッションが必要です。session pooler（ポート 5432）にしてください",
            )
        return value

    @field_validator("turso_url")
    @classmethod
    def _turso(cls, value: str) -> str:
        is_file = value.startswith("file:") and value not in {"file:", "file://"}
        if value and not is_file and not _is_url(value, {"libsql", "https", "http"}):
            raise _problem(
                "must look like libsql://NAME.turso.io (https:// and file:PATH work too); "
                "empty, the log stays in a local file",
                "は libsql://名前.turso.io の形にしてください（https:// と file:パス も使えます）。"
                "空ならログはローカルファイルに置かれます",
            )
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: object) -> object:
        names = re.split(r"[\s,]+", value.strip(" ,")) if isinstance(value, str) else value
        try:
            networks(names if isinstance(names, list) else ())
        except ValueError:
            raise _problem(
                "must be networks such as 10.0.0.0/8, or `private` or `cloudflare`, "
                "separated by commas",
                "には 10.0.0.0/8 のようなネットワークか private、cloudflare を"
                "カンマで区切って書いてください",
            ) from None
        return names

    @field_validator("log_redact_keys", mode="before")
    @classmethod
    def _keys(cls, value: object) -> object:
        return re.split(r"[\s,]+", value.strip(" ,")) if isinstance(value, str) else value

    @field_validator("log_redact_patterns", mode="before")
    @classmethod
    def _patterns(cls, value: object) -> object:
        patterns = value.split() if isinstance(value, str) else value
        for pattern in patterns if isinstance(patterns, list) else ():
            try:
                re.compile(pattern)
            except re.error:
                raise _problem(
                    "must be regular expressions separated by blanks, with \\s for a blank in one",
                    "には正規表現を空白で区切って並べてください（中の空白は \\s と書きます）",
                ) from None
        return patterns

    @field_validator("log_sampling", mode="before")
    @classmethod
    def _sampling(cls, value: object) -> object:
        rules = value.split() if isinstance(value, str) else value
        try:
            Sampling.parse(rules if isinstance(rules, list) else ())
        except ValueError:
            raise _problem(
                "must be rules like GET:/items=0.1 or /api=0.5, separated by blanks; "
                "the share is between 0 and 1",
                "には GET:/items=0.1 や /api=0.5 のような規則を空白で区切って並べてください"
                "（割合は 0 から 1 まで）",
            ) from None
        return rules

    @field_validator("supabase_url", "supabase_auth_url")
    @classmethod
    def _supabase(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not _is_url(value, {"https", "http"}):
            raise _problem(
                "must look like https://PROJECT.supabase.co",
                "は https://プロジェクト.supabase.co の形にしてください",
            )
        return value

    @property
    def trace_store_url(self) -> str:
        """`TURSO_URL`, or the `file:` URL of the embedded store."""
        return self.turso_url or f"file:{(self.log_dir / 'trace.db').as_posix()}"

    @property
    def has_log_console(self) -> bool:
        """Whether administrators may ask the log in SQL of their own."""
        return self.log_console == "on" or (
            self.log_console == "auto" and self.environment == "development"
        )

    @property
    def uses_supabase(self) -> bool:
        """Whether accounts are Supabase's."""
        return bool(self.supabase_auth_url and self.supabase_publishable_key)

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach the app through https."""
        return self.public_origin.startswith("https://")

    @property
    def unquoted_names(self) -> tuple[str, ...]:
        """Variables whose value `load` found in quotes and took without; worth a line at start."""
        return self._unquoted

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Self:
        """Read settings from `environ` (default: the process's) over `env_file` (default: `.env`).

        Quotes around a value are dropped, since `docker run --env-file` passes them on. An empty
        value counts as none. Raises `SettingsError`.
        """
        environ = os.environ if environ is None else environ
        env_file = env_file or Path(".env")
        try:
            merged = {**read_env_file(env_file), **environ}
        except EnvFileError as error:
            raise _malformed(error) from None
        if "PUBLIC_ORIGIN" not in merged and "RENDER_EXTERNAL_URL" in merged:
            merged["PUBLIC_ORIGIN"] = merged["RENDER_EXTERNAL_URL"]
        names = [name.upper() for name in cls.model_fields if name.upper() in merged]
        values = {name: strip_quotes(merged[name]) for name in names}
        try:
            settings = cls.model_validate(
                {name.lower(): value for name, value in values.items() if value}
            )
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            name = str(detail["loc"][0]).upper()
            raise _invalid(detail, name, None if name in environ else env_file) from None
        if settings.environment == "production" and not values.get("SECRET_KEY"):
            raise SettingsError(
                "SECRET_KEY is missing: in production it must be set, to 32 random characters "
                "or more.",
                "SECRET_KEY がありません。本番環境では 32 文字以上のランダムな文字列を"
                "設定してください。",
            )
        in_production = settings.environment == "production"
        if in_production and settings.smtp_host and not settings.public_origin:
            raise SettingsError(
                "PUBLIC_ORIGIN is missing: with SMTP_HOST it must be set, because links in mails "
                "begin with it.",
                "PUBLIC_ORIGIN がありません。SMTP_HOST を設定するときは必要です"
                "（メールのリンクの先頭になります）。",
            )
        settings._unquoted = tuple(n for n in names if merged[n].strip() != values[n])
        return settings


def _is_url(value: str, schemes: set[str], *, path: bool = True) -> bool:
    """Whether `value` is a URL of one of `schemes`, with a host (or `?host=`) and a sane port."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    has_host = bool(parts.hostname) or "host=" in parts.query
    return parts.scheme in schemes and has_host and port != 0 and (path or not parts.path)


def is_transaction_pooler(url: str) -> bool:
    """Whether a PostgreSQL URL is that of Supabase's pooler which lends connections out briefly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.port == 6543 and host.endswith((".pooler.supabase.com", ".supabase.co"))


def is_supabase_direct(host: str) -> bool:
    """Whether a host is that of Supabase's database itself, which has an IPv6 address only."""
    return host.startswith("db.") and host.endswith(".supabase.co")


def _problem(en: str, ja: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{en}", {"en": en, "ja": ja})


def _invalid(detail: ErrorDetails, name: str, env_file: Path | None) -> SettingsError:
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


_MALFORMED = {
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
}


def _malformed(error: EnvFileError) -> SettingsError:
    en, ja = _MALFORMED[error.problem]
    if error.line:
        return SettingsError(
            f"Line {error.line} of {error.path} {en}.", f"{error.path} の {error.line} 行目: {ja}。"
        )
    return SettingsError(f"{error.path} {en}.", f"{error.path}: {ja}。")
