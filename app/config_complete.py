"""Settings that make sense only with others."""

from typing import TYPE_CHECKING

from app.config_errors import SettingsError
from app.config_values import PROVIDERS

if TYPE_CHECKING:
    from app.config import Settings


def incomplete(settings: "Settings", given: set[str]) -> SettingsError | None:
    """What is missing beside the variables that are `given`."""
    in_production = settings.environment == "production"
    if in_production and "SECRET_KEY" not in given:
        return SettingsError(
            "SECRET_KEY is missing: in production it must be set, to 32 random characters or more.",
            "SECRET_KEY がありません。"
            "本番環境では 32 文字以上のランダムな文字列を設定してください。",
        )
    if in_production and settings.smtp_host and not settings.public_origin:
        return SettingsError(
            "PUBLIC_ORIGIN is missing: with SMTP_HOST it must be set, because links in mails "
            "begin with it.",
            "PUBLIC_ORIGIN がありません。SMTP_HOST を設定するときは必要です"
            "（メールのリンクの先頭になります）。",
        )
    if settings.picture_bucket and not (settings.supabase_url and "SUPABASE_SECRET_KEY" in given):
        return SettingsError(
            "PICTURE_BUCKET needs SUPABASE_URL and SUPABASE_SECRET_KEY.",
            "PICTURE_BUCKET には SUPABASE_URL と SUPABASE_SECRET_KEY が必要です。",
        )
    for name in PROVIDERS:
        pair = [f"{name.upper()}_CLIENT_{part}" for part in ("ID", "SECRET")]
        if len(given.intersection(pair)) == 1:
            return SettingsError(
                f"{pair[0]} and {pair[1]} belong together: set both, or neither.",
                f"{pair[0]} と {pair[1]} は両方とも設定するか、どちらも設定しないでください。",
            )
    if bool(settings.ai_base_url) != bool(settings.ai_model):
        return SettingsError(
            "AI_BASE_URL and AI_MODEL belong together: set both, or neither.",
            "AI_BASE_URL と AI_MODEL は両方とも設定するか、どちらも設定しないでください。",
        )
    return None
