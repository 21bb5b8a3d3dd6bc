"""Every setting of the app: its name, type, default and meaning.

Settings come from the process environment, then from `.env`. Nothing else reads either.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from app.config_complete import incomplete
from app.config_errors import invalid, malformed
from app.config_names import misspelt
from app.config_values import (
    PROVIDERS,
    BucketName,
    DatabaseURL,
    HeaderSecret,
    Origin,
    Patterns,
    ProviderName,
    Providers,
    Proxies,
    SamplingRules,
    SecretKey,
    ServiceURL,
    SupabaseURL,
    TursoURL,
    Words,
    ZoneName,
)
from app.lib.env_file import EnvFileError, read_env_file, strip_quotes, value_of


class Settings(BaseModel):
    """All settings. Field names are the environment variables in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` turns on what only makes sense in public."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; a container needs 0.0.0.0.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    secret_key: SecretKey = Field(
        SecretStr(""), description="At least 32 random characters; signs and encrypts."
    )
    public_origin: Origin = Field(
        "", description="Where browsers reach the app, such as https://app.example.com."
    )
    time_zone: ZoneName = Field(
        "UTC", description="Time zone of pages until browsers tell theirs, such as Asia/Tokyo."
    )
    database_url: DatabaseURL = Field(
        "sqlite:///data/app.db", description="SQLite file or PostgreSQL URL of the app's data."
    )
    database_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        10, description="Most seconds that a page waits for one answer of the database."
    )
    files_dir: Path = Field(
        Path("data/files"), description="Folder of the files that jobs make, such as exports."
    )
    turso_url: TursoURL = Field(
        "", description="libsql:// or https:// URL of the log store; empty is a local file."
    )
    turso_token: HeaderSecret = Field(SecretStr(""), description="Token for `TURSO_URL`.")
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
    log_delivery: Literal["app", "process"] = Field(
        "app", description="Who delivers the log: the `app`, or a `process` beside it."
    )
    log_redact_keys: Words = Field(
        (), description="Further keys whose values the log hides, separated by commas."
    )
    log_redact_patterns: Patterns = Field(
        (), description="Regular expressions of what else it hides, separated by blanks."
    )
    log_sampling: SamplingRules = Field(
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
    alert_private_webhooks: bool = Field(
        default=False,
        description="Whether alerts may call addresses of private networks in production.",
    )
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        1_048_576, description="The largest request body the app takes; more is answered with 413."
    )
    trusted_proxies: Proxies = Field(
        (), description="Networks of proxies in front, separated by commas; `private` is one."
    )
    smtp_host: str = Field("", description="Mail server; empty, mail stays in `/dev/mail`.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_user: str = Field("", description="Name to sign in there with; empty, without.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of `SMTP_USER`.")
    smtp_tls: Literal["starttls", "tls", "no"] = Field(
        "starttls", description="How the connection is encrypted; port 465 wants `tls`."
    )
    mail_from: str = Field(
        "noreply@localhost",
        description="Whom mail comes from; the product's name goes before a bare address.",
    )
    rate_limit_factor: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1, description="Multiplies all rate limits; for many people behind one address."
    )
    supabase_url: SupabaseURL = Field("", description="URL of the Supabase project.")
    supabase_publishable_key: str = Field("", description="Supabase's publishable key.")
    supabase_secret_key: SecretStr = Field(SecretStr(""), description="Supabase's secret key.")
    supabase_jwt_secret: SecretStr = Field(
        SecretStr(""), description="Shared secret of tokens, for projects without signing keys."
    )
    supabase_auth_url: SupabaseURL = Field(
        "", description="URL of Supabase Auth; `$SUPABASE_URL/auth/v1` where empty."
    )
    supabase_oauth: Providers = Field(
        (), description="Which of `github,google` are turned on there, for buttons to sign in with."
    )
    github_client_id: str = Field("", description="Id of the GitHub app to sign in with.")
    github_client_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    github_url: ServiceURL = Field(
        "https://github.com", description="GitHub, or a GitHub Enterprise Server."
    )
    google_client_id: str = Field("", description="Id of the Google client to sign in with.")
    google_client_secret: SecretStr = Field(SecretStr(""), description="Its secret.")

    import_max_bytes: Annotated[int, Field(ge=1024)] = Field(
        524_288_000, description="The largest file of items that is imported."
    )
    import_max_rows: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        1_000_000, description="Most rows of such a file."
    )
    import_max_columns: Annotated[int, Field(ge=1, le=1000)] = Field(
        200, description="Most columns of such a file."
    )
    picture_dir: Path = Field(Path("data/pictures"), description="Folder of the pictures of items.")
    picture_bucket: BucketName = Field(
        "", description="Bucket of Supabase Storage that has them instead; made if it is not there."
    )
    picture_max_bytes: Annotated[int, Field(ge=1024)] = Field(
        20_971_520, description="The largest file that is taken as a picture."
    )
    picture_max_pixels: Annotated[int, Field(ge=1024, le=178_956_970)] = Field(
        25_000_000, description="Most pixels of a picture; decoding one takes up to 12 bytes each."
    )

    ai_base_url: ServiceURL = Field(
        "", description="OpenAI-compatible endpoint, such as https://api.openai.com/v1."
    )
    ai_api_key: HeaderSecret = Field(
        SecretStr(""), description="Its key; empty, it is asked without."
    )
    ai_model: str = Field("", description="The model there; empty, nothing is suggested.")
    ai_daily: Annotated[int, Field(ge=1, le=100_000)] = Field(
        50, description="How many suggestions each user may have a day (UTC)."
    )
    ai_daily_tokens: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        200_000, description="How many tokens each user's suggestions may cost a day (UTC)."
    )
    ai_seconds: Annotated[int, Field(ge=5, le=3600)] = Field(
        120, description="How long a suggestion may take, with all attempts."
    )

    _unquoted: tuple[str, ...] = PrivateAttr(default=())
    _passed_over: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("*", mode="before")
    @classmethod
    def _whole_numbers(cls, value: object, about: ValidationInfo) -> object:
        is_number = cls.model_fields[about.field_name or ""].annotation is int
        if is_number and isinstance(value, str) and not re.fullmatch("-?[0-9]+", value):
            raise PydanticKnownError("int_parsing")  # pydantic takes `80.0` and `8_0`
        return value

    @model_validator(mode="before")
    @classmethod
    def _auth_below_supabase(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("supabase_url") and not values.get("supabase_auth_url"):
            return {**values, "supabase_auth_url": values["supabase_url"].rstrip("/") + "/auth/v1"}
        return values

    @property
    def trace_store_url(self) -> str:
        """`TURSO_URL`, or the `file:` URL of the embedded store."""
        return self.turso_url or f"file:{(self.log_dir / 'trace.db').as_posix()}"

    @property
    def delivers_beside(self) -> bool:
        """Whether a process beside the app delivers the trace log."""
        return self.log_delivery == "process"

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
    def providers(self) -> tuple[ProviderName, ...]:
        """Services whose accounts people can sign in with."""
        if self.uses_supabase:
            return tuple(name for name in PROVIDERS if name in self.supabase_oauth)
        ids = {"github": self.github_client_id, "google": self.google_client_id}
        return tuple(name for name in PROVIDERS if ids[name])

    @property
    def uses_ai(self) -> bool:
        """Whether descriptions of items can be rewritten."""
        return bool(self.ai_base_url and self.ai_model)

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach the app through https."""
        return self.public_origin.startswith("https://")

    @property
    def unquoted_names(self) -> tuple[str, ...]:
        """Variables whose value `load` found in quotes and took without; worth a line at start."""
        return self._unquoted

    @property
    def misspelt_names(self) -> dict[str, str]:
        """Variables that `load` found and that are almost settings, with the names of those."""
        return misspelt(self._passed_over, map(str.upper, type(self).model_fields))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Self:
        """Read settings from `environ` (default: the process's) over `env_file` (default: `.env`).

        Quotes around a value are dropped, since `docker run --env-file` passes them on. An empty
        value counts as none: then that of `DEFAULT_` and its name holds, which an image may have.
        Raises `SettingsError`.
        """
        environ = os.environ if environ is None else environ
        env_file = env_file or Path(".env")
        try:
            merged = {**read_env_file(env_file), **environ}
        except EnvFileError as error:
            raise malformed(error) from None
        named = strip_quotes(merged.get("PUBLIC_ORIGIN", ""))
        if not named and "RENDER_EXTERNAL_URL" in merged:
            merged["PUBLIC_ORIGIN"] = merged["RENDER_EXTERNAL_URL"]
        names = [name.upper() for name in cls.model_fields]
        values = {name: value for name in names if (value := value_of(merged, name))}
        try:
            settings = cls.model_validate({name.lower(): value for name, value in values.items()})
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            name = str(detail["loc"][0]).upper()
            raise invalid(detail, name, None if name in environ else env_file) from None
        if missing := incomplete(settings, set(values)):
            raise missing
        settings._passed_over = tuple(merged.keys() - names)
        given = {name: merged[name].strip() for name in names if name in merged}
        settings._unquoted = tuple(n for n, value in given.items() if strip_quotes(value) != value)
        return settings
