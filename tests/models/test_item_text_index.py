"""The text index of items: as SQLite's triggers keep it, and through migrations."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from sqlalchemy import Engine

from app import migration
from app.migration import upgrade
from tests.test_migrations import engine, url

__all__ = ["engine", "url"]


def test_the_text_index_can_be_rebuilt_and_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    upgrade(f"sqlite:///{path.as_posix()}")
    item = (
        "INSERT INTO items (owner_id, status, created_at, updated_at, version, title, title_key,"
        " description, search_grams, deleted_at)"
        " VALUES (1, 0, '2026', '2026', 1, '', '', '', ?, ?)"
    )

    def found(connection: sqlite3.Connection, match: str) -> list[int]:
        query = "SELECT rowid FROM item_search WHERE item_search MATCH ?"
        return [row[0] for row in connection.execute(query, [match])]

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(item, ["東京都 京都 都", None])
        connection.execute(item, ["京都府 都府 府", None])
        connection.execute(item, ["東京湾 京湾 湾", "2026"])
        assert found(connection, '"東"*') == [1]
        connection.execute("UPDATE items SET is_packed = 1 WHERE id = 1")
        assert found(connection, '"東"*') == []
        connection.execute("INSERT INTO item_search (item_search) VALUES ('integrity-check')")
        connection.execute("UPDATE items SET is_packed = 0 WHERE id = 1")
        assert found(connection, '"東"*') == [1]
        connection.execute("UPDATE items SET deleted_at = NULL WHERE id = 3")
        connection.execute("UPDATE items SET deleted_at = '2026' WHERE id = 1")
        connection.execute("UPDATE items SET status = 2, version = 2 WHERE id = 2")
        connection.execute("UPDATE items SET search_grams = '大阪府 阪府 府' WHERE id = 3")
        for _ in range(2):
            assert found(connection, '"東"*') == []
            assert found(connection, '"府"*') == [2, 3]
            assert found(connection, "ｏ1") == [2, 3]
            assert found(connection, "ｏ1ｓ2") == [2]
            assert found(connection, "ｏ1ｓ0") == [3]
            connection.execute("INSERT INTO item_search (item_search) VALUES ('integrity-check')")
            connection.execute("INSERT INTO item_search (item_search) VALUES ('rebuild')")
        connection.execute("DELETE FROM items")
        assert found(connection, '"府"*') == []
        connection.execute("INSERT INTO item_search (item_search) VALUES ('integrity-check')")


def test_items_of_before_are_found_after_packs_came_and_went(url: str, engine: Engine) -> None:
    add = (
        "INSERT INTO items (owner_id, status, created_at, updated_at, version, title, title_key,"
        " description, search_grams) VALUES (1, 0, '2026-11-05 12:00:00', '2026-11-05 12:00:00',"
        " 1, '', '', '', '東京都 京都 都')"
    )
    asked = {
        "sqlite": "SELECT count(*) FROM item_search WHERE item_search MATCH '\"東\"*'",
        "postgresql": "SELECT count(*) FROM item_matches('東:*', '{}')",
    }[engine.dialect.name]

    def indexed() -> int | None:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT set_config('app.user_id', '1', true)")
            return connection.exec_driver_sql(asked).scalar()

    with migration._migrating(url) as connection:
        command.upgrade(migration._alembic(connection), "0012-1")
        connection.exec_driver_sql(
            "INSERT INTO users (id, email, name, role, created_at)"
            " VALUES (1, 'hana@example.com', 'Hana', 'user', '2026-11-05 12:00:00')"
        )
        connection.exec_driver_sql(add)
    assert indexed() == 1
    upgrade(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(add)
        connection.exec_driver_sql(
            "UPDATE items SET is_packed = true, search_grams = '|東京都|a' WHERE id = 2"
        )
    assert indexed() == 1
    with migration._migrating(url) as connection:
        command.downgrade(migration._alembic(connection), "0012-1")
    assert indexed() == 2
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT search_grams FROM items WHERE id = 2").scalar()
    assert kept == "東京都 京都 都 a"
