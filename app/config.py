"""Every setting of the app: its name, type, default and meaning.

Settings come from the process environment, then from `.env`. Nothing else reads either.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from app.lib.env_file import read_env_file, strip_quotes


class SettingsError(Exception):
    """A setting is wrong. The message names it, says why and how to mend it."""


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
    supabase_url: str = Field("", description="URL of the Supabase project.")
    supabase_publishable_key: str = Field("", description="Supabase's publishable key.")
    supabase_secret_key: SecretStr = Field(SecretStr(""), description="Supabase's secret key.")
    supabase_auth_url: str = Field(
        "", description="URL of Supabase Auth; `$SUPABASE_URL/auth/v1` where empty."
    )

    @field_validator("public_origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path):
            raise ValueError("it must look like https://app.example.com, without a path")
        return value

    @property
    def trace_store_url(self) -> str:
        """`TURSO_URL`, or the `file:` URL of the embedded store."""
        return self.turso_url or f"file:{(self.log_dir / 'trace.db').as_posix()}"

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach the app through https."""
        return self.public_origin.startswith("https://")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Self:
        """Read settings from `environ` (default: the process's) over `env_file` (default: `.env`).

        Raises `SettingsError`.
        """
        environ = os.environ if environ is None else environ
        file_values = read_env_file(env_file or Path(".env"))
        merged = {**file_values, **environ}
        if "PUBLIC_ORIGIN" not in merged and "RENDER_EXTERNAL_URL" in merged:
            merged["PUBLIC_ORIGIN"] = merged["RENDER_EXTERNAL_URL"]
        values = {
            name: strip_quotes(merged[name.upper()])
            for name in cls.model_fields
            if merged.get(name.upper(), "") != ""
        }
        try:
            return cls(**values)  # type: ignore[arg-type] # pydantic parses the strings
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]).upper()
    return f"{name} is not valid: {first['msg'].removeprefix('Value error, ')}."
