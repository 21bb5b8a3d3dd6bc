"""Settings: where they come from, what is refused, and in which words."""

import re
from pathlib import Path

import pytest

from app.config import Settings
from app.config_errors import SettingsError
from commands.kit.environment import ROOT


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_with_nothing_set_everything_is_embedded(env_file: Path) -> None:
    settings = Settings.load({}, env_file)

    assert settings.database_url == "sqlite:///data/app.db"
    assert settings.trace_store_url == "file:logs/trace.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert not settings.supabase_url
    assert not settings.secure_cookies


def test_the_environment_is_over_the_file(env_file: Path) -> None:
    env_file.write_text("PORT=1111\nHOST=0.0.0.0\n")

    settings = Settings.load({"PORT": "2222"}, env_file)

    assert (settings.host, settings.port) == ("0.0.0.0", 2222)


def test_an_empty_value_counts_as_none(env_file: Path) -> None:
    env_file.write_text("PORT=\nHOST=''\n")

    settings = Settings.load({}, env_file)

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_quotes_are_dropped_from_both_and_their_names_kept(env_file: Path) -> None:
    env_file.write_text("TURSO_URL=\"libsql://x.turso.io\"\nHOST=::1\nUNKNOWN='x'\n")

    settings = Settings.load({"LOG_DIR": "'my logs'"}, env_file)

    assert settings.turso_url == "libsql://x.turso.io"
    assert settings.log_dir == Path("my logs")
    assert set(settings.unquoted_names) == {"TURSO_URL", "LOG_DIR"}


def test_a_name_that_is_almost_a_settings_is_known_and_others_are_not(env_file: Path) -> None:
    env_file.write_text("SECRETKEY=x\nport=1\nPROT=2\nDATABASE_URI=y\nHOST=::1\nPOSTGRES_DB=z\n")
    others = {"HOME": "/", "HOSTNAME": "h", "GITHUB_SHA": "f00", "SMTP_PASS": "p", "RENDER": "true"}

    settings = Settings.load({**others, "TRUSTED_PROXY": "private"}, env_file)

    assert settings.misspelt_names == {
        "DATABASE_URI": "DATABASE_URL",
        "PROT": "PORT",
        "SECRETKEY": "SECRET_KEY",
        "port": "PORT",
    }
    assert Settings().misspelt_names == {}


def test_supabase_auth_is_below_its_project_unless_told(env_file: Path) -> None:
    project = {"SUPABASE_URL": "https://p.supabase.co/"}

    assert Settings.load(project, env_file).supabase_auth_url == "https://p.supabase.co/auth/v1"
    assert Settings(supabase_url="https://p.supabase.co").supabase_auth_url.endswith("/auth/v1")
    own = project | {"SUPABASE_AUTH_URL": "http://127.0.0.1:9999"}
    assert Settings.load(own, env_file).supabase_auth_url == "http://127.0.0.1:9999"


def test_render_tells_its_own_origin(env_file: Path) -> None:
    render = {"RENDER_EXTERNAL_URL": "https://x.onrender.com"}

    for empty in ({}, {"PUBLIC_ORIGIN": ""}, {"PUBLIC_ORIGIN": '""'}):
        assert Settings.load(render | empty, env_file).public_origin == "https://x.onrender.com"
    own = render | {"PUBLIC_ORIGIN": "https://app.example.com/"}
    assert Settings.load(own, env_file).public_origin == "https://app.example.com"
    assert Settings.load(own, env_file).secure_cookies


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///data/app.db",
        "sqlite:////var/lib/app.db",
        "postgres://u:p@h/n",
        "postgresql://u:p%40@aws-0.pooler.supabase.com:5432/postgres?sslmode=require",
        "postgresql://postgres:@/n?host=/tmp/pg",
    ],
)
def test_database_urls_that_work(env_file: Path, url: str) -> None:
    assert Settings.load({"DATABASE_URL": url}, env_file).database_url == url


@pytest.mark.parametrize("url", ["libsql://x.turso.io", "http://127.0.0.1:8080", "file:a/b.db"])
def test_log_store_urls_that_work(env_file: Path, url: str) -> None:
    assert Settings.load({"TURSO_URL": url}, env_file).trace_store_url == url


def test_what_the_log_hides_beside_what_it_knows(env_file: Path) -> None:
    env_file.write_text(
        "LOG_REDACT_KEYS=employee_number, 家族構成\nLOG_REDACT_PATTERNS=EMP-\\d{6}  A,B\n"
    )

    settings = Settings.load({}, env_file)

    assert settings.log_redact_keys == ("employee_number", "家族構成")
    assert settings.log_redact_patterns == (r"EMP-\d{6}", "A,B")


WRONG = [
    ("PORT", "eight"),
    ("PORT", "8000 # the usual"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "80.0"),
    ("PORT", "8_000"),
    ("SMTP_PORT", "+25"),
    ("RATE_LIMIT_FACTOR", "1e3"),
    ("LOG_MAX_BYTES", "10.5"),
    ("ENVIRONMENT", "prod"),
    ("SECRET_KEY", "too-short-a-secret"),
    ("PUBLIC_ORIGIN", "app.example.com"),
    ("PUBLIC_ORIGIN", "https://app.example.com/path"),
    ("TIME_ZONE", "JST-9"),
    ("TIME_ZONE", "../etc/passwd"),
    ("DATABASE_URL", "data/app.db"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "mysql://u:p@h/n"),
    ("DATABASE_URL", "postgresql+asyncpg://u:p@h/n"),
    ("DATABASE_URL", "postgresql://u:hush#hush@h/n"),
    ("DATABASE_URL", "postgresql://u:[YOUR-PASSWORD]@h/n"),
    ("DATABASE_URL", "postgresql://u:hush@hush@h/n"),
    ("DATABASE_URL", "postgresql://u:p@hush/hush@h/n"),
    ("DATABASE_URL", "postgresql://u:hush%zz@h/n"),
    ("DATABASE_URL", "postgresql://u:p@h:port/n"),
    ("DATABASE_URL", "postgresql://u:p@a..b/n"),
    ("DATABASE_URL", "sqlite:///data/app.db?mode=ro"),
    ("DATABASE_URL", "postgres://postgres.ref:hush@aws-0-x.pooler.supabase.com:6543/postgres"),
    ("TRUSTED_PROXIES", "everybody"),
    ("TURSO_URL", "wss://x.turso.io"),
    ("TURSO_URL", "x.turso.io"),
    ("TURSO_URL", "file:"),
    ("TURSO_URL", "https://a..b"),
    ("TURSO_URL", "libsql://a b"),
    ("TURSO_TOKEN", "hush日本"),
    ("SUPABASE_URL", "p.supabase.co"),
    ("LOG_BODY_BYTES", "-1"),
    ("LOG_RETENTION_DAYS", "-1"),
    ("LOG_SEGMENT_BYTES", "100"),
    ("LOG_FSYNC", "never"),
    ("LOG_REDACT_PATTERNS", r"EMP-\d+ (open"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_gets_one_sentence_in_both_languages(
    env_file: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({name: value}, env_file)

    english, japanese = str(caught.value), caught.value.ja
    assert english.startswith(f"{name} in the environment must ") or "[YOUR-PASSWORD]" in english
    assert english.endswith(".")
    assert "\n" not in english
    assert name in japanese
    assert japanese.endswith("。")
    assert "hush" not in english + japanese
    assert "too-short" not in english + japanese


@pytest.mark.parametrize(
    "url",
    [
        "postgres://postgres.ref:p@aws-0-ap-northeast-1.pooler.supabase.com:5432/postgres",
        "'postgresql://postgres.ref:p@aws-0-x.pooler.supabase.com:5432/postgres?sslmode=require'",
        "postgresql://u:p@127.0.0.1:6543/n",
    ],
)
def test_the_session_pooler_is_taken_as_it_is_copied(url: str, env_file: Path) -> None:
    assert Settings.load({"DATABASE_URL": url}, env_file).database_url == url.strip("'")


def test_a_wrong_value_is_told_with_its_place(env_file: Path) -> None:
    env_file.write_text("PORT=x\n")

    with pytest.raises(SettingsError, match=re.escape(f"PORT in {env_file} must be a whole")):
        Settings.load({}, env_file)


def test_a_folder_in_place_of_the_file_is_told(env_file: Path) -> None:
    env_file.mkdir()

    with pytest.raises(SettingsError, match="is a folder") as caught:
        Settings.load({}, env_file)

    assert "フォルダー" in caught.value.ja


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"A=1\nexport B=2\n", "Line 2 of .* `export`"),
        (b'A="1\n', "Line 1 of .* quote"),
        (b"=1\n", "Line 1 of .* NAME=value"),
        (b"hello there\n", "Line 1 of .* comment starts with #"),
        (b"A=\xff\n", "UTF-8"),
        ("A=1\n".encode("utf-16-le"), "UTF-8"),
        (b"A=1\rB=2\r", "Line 1 of .* cannot be seen"),
        (b"A=1\nB=\x1b[0m\n", "Line 2 of .* cannot be seen"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(
    env_file: Path, content: bytes, sentence: str
) -> None:
    env_file.write_bytes(content)

    with pytest.raises(SettingsError, match=sentence) as caught:
        Settings.load({}, env_file)

    assert caught.value.ja.endswith("。")


@pytest.mark.parametrize("rules", ["/items", "/items=2", "GET:/=0.5 nonsense"])
def test_a_wrong_sampling_rule_is_told(rules: str, env_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"LOG_SAMPLING .* rules like GET:/items=0\.1"):
        Settings.load({"LOG_SAMPLING": rules}, env_file)

    rules = "GET:/items=0.1 /api=0.5"
    assert Settings.load({"LOG_SAMPLING": rules}, env_file).log_sampling == tuple(rules.split())


def test_production_wants_a_secret_key(env_file: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY is missing"):
        Settings.load({"ENVIRONMENT": "production"}, env_file)

    key = "k" * 32
    settings = Settings.load({"ENVIRONMENT": "production", "SECRET_KEY": key}, env_file)
    assert settings.secret_key.get_secret_value() == key
    assert key not in repr(settings)


def test_the_example_names_every_setting_and_changes_none(tmp_path: Path) -> None:
    example = ROOT / ".env.example"

    named = set(re.findall(r"^#?([A-Z_]+)=", example.read_text(encoding="utf-8"), re.MULTILINE))

    assert named == {name.upper() for name in Settings.model_fields}
    assert Settings.load({}, example) == Settings.load({}, tmp_path / "none")


def test_the_examples_that_are_commented_out_are_valid(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    env_file = tmp_path / ".env"
    active = [line.removeprefix("#") for line in lines if re.match(r"#?[A-Z_]+=", line)]
    env_file.write_text("\n".join(active).replace("SECRET_KEY=\n", f"SECRET_KEY={'k' * 32}\n"))

    assert Settings.load({}, env_file).public_origin == "https://app.example.com"


def test_a_service_to_sign_in_with_has_an_id_and_a_secret(env_file: Path) -> None:
    base = {"GITHUB_CLIENT_ID": "one"}
    sentence = "GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET belong together"
    with pytest.raises(SettingsError, match=sentence):
        Settings.load(base, env_file)
    settings = Settings.load(base | {"GITHUB_CLIENT_SECRET": "two"}, env_file)
    assert settings.providers == ("github",)
    assert "two" not in repr(settings)
    supabase = {"SUPABASE_URL": "https://p.supabase.co", "SUPABASE_PUBLISHABLE_KEY": "k"}
    assert Settings.load(supabase | {"SUPABASE_OAUTH": "google"}, env_file).providers == ("google",)
    with pytest.raises(SettingsError, match="must be 'github' or 'google'"):
        Settings.load({"SUPABASE_OAUTH": "gitlab"}, env_file)


def test_a_language_model_has_an_address_and_a_name(env_file: Path) -> None:
    base = {"AI_BASE_URL": "https://api.example.com/v1/"}
    with pytest.raises(SettingsError, match="AI_BASE_URL and AI_MODEL belong together"):
        Settings.load(base, env_file)
    settings = Settings.load(base | {"AI_MODEL": "m"}, env_file)
    assert settings.ai_base_url == "https://api.example.com/v1"
    assert settings.uses_ai
    assert not Settings.load({}, env_file).uses_ai
    for key in ("sk-日本語", "sk a", "sk-a\nb"):
        with pytest.raises(SettingsError, match=r"AI_API_KEY .* no blanks") as caught:
            Settings.load(base | {"AI_MODEL": "m", "AI_API_KEY": key}, env_file)
        assert key not in str(caught.value)
