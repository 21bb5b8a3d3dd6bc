import json
import re
import socket

from tests.commands.conftest import Checkout


def states(checkout: Checkout, **env: str) -> tuple[int, dict[str, str], str]:
    """Exit code, state by name, and all texts."""
    done = checkout.manage("doctor", "--json", **env)
    findings = json.loads(done.stdout)
    texts = " ".join(finding["text"] for finding in findings)
    return done.returncode, {one["name"]: one["state"] for one in findings}, texts


def test_on_a_machine_that_is_ready_nothing_is_wrong(checkout: Checkout) -> None:
    checkout.env_file.touch(mode=0o600)

    code, found, _ = states(checkout)

    assert code == 0
    assert {found[name] for name in ("Python", "Packages", "Settings", "Folders", "Database")} == {
        "ok"
    }
    assert set(found) == {
        *("Python", "Packages", "Settings", "Folders", "Disk", "Port", "Database", "Tables"),
        *("Supabase", "Log store", "Mail", "Node", "sqld", "tursodb", "PostgreSQL", "Chromium"),
    }


def test_it_says_one_line_each_and_leaves_no_database_behind(checkout: Checkout) -> None:
    done = checkout.manage("doctor")

    assert done.returncode == 0
    assert all(line[:4] in {" ok ", "note"} for line in done.stdout.splitlines())
    assert not (checkout.folder / "data" / "app.db").exists()
    assert not checkout.env_file.exists()


def test_in_japanese_it_names_what_it_looks_at_and_lines_up(checkout: Checkout) -> None:
    done = checkout.manage("doctor", LANG="ja_JP.UTF-8", PYTHONIOENCODING="utf-8")

    assert "フォルダー         問題ありません" in done.stdout
    assert "メール             送らずに" in done.stdout
    assert "Supabase           使いません" in done.stdout
    assert not re.search(r"(Settings|Disk|Port|Tables|Log store) ", done.stdout)


def test_it_works_before_anything_is_installed(checkout: Checkout, base_python: list[str]) -> None:
    done = checkout.without_venv().manage("doctor", python=base_python)

    assert done.returncode == 1
    assert "FAIL  Packages        There is no .venv" in done.stdout
    assert not (checkout.folder / ".venv").exists()


def test_packages_that_are_not_the_locked_ones_are_named(own_checkout: Checkout) -> None:
    locked = own_checkout.folder / "requirements.txt"
    text = locked.read_text(encoding="utf-8")
    locked.write_text(text.replace("fastapi==", "fastapi==99.", 1), encoding="utf-8")

    code, found, texts = states(own_checkout)

    assert (code, found["Packages"]) == (1, "wrong")
    assert "fastapi 99." in texts


def test_a_wrong_setting_is_told(checkout: Checkout) -> None:
    checkout.env_file.write_text("export PORT=1\n", encoding="utf-8")

    code, found, texts = states(checkout)

    assert (code, found["Settings"]) == (1, "wrong")
    assert "Line 1 of .env" in texts


def test_a_database_that_does_not_answer_is_wrong_and_a_log_store_is_a_note(
    checkout: Checkout,
) -> None:
    checkout.env_file.write_text("DATABASE_URL=postgresql://u:p@127.0.0.1:9/n\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, found, texts = states(
            checkout, TURSO_URL="http://127.0.0.1:9", PORT=str(other.getsockname()[1])
        )

    assert code == 1
    assert (found["Database"], found["Log store"], found["Port"]) == ("wrong", "note", "note")
    assert "mend DATABASE_URL in .env" in texts


def test_as_in_the_image_it_asks_for_no_env_and_for_nothing_that_tests_use(
    own_checkout: Checkout,
) -> None:
    (own_checkout.folder / "requirements-dev.txt").unlink()

    code, found, texts = states(own_checkout, ENVIRONMENT="production", SECRET_KEY="k" * 40)

    assert code == 0
    assert not set(found) & {"Node", "sqld", "tursodb", "PostgreSQL", "Chromium"}
    assert "come from the environment" in texts
