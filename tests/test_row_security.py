"""Row-level security on a real PostgreSQL: what no filter of ours keeps away stays away still."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Integer, MetaData, Table, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import acting, row_security
from app.acting import SYSTEM_ROLE, USER_ROLE, act_as, act_as_system, as_system, role_name
from app.database import Database
from app.migration import _migrating, upgrade
from app.models import BackupCode, Base, User
from app.product import SLUG
from app.row_security import owner_of, part_of, protecting, shared_rows

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
async def database(postgres_database: str) -> AsyncIterator[Database]:
    """Hana (1) has two backup codes, Taro (2) one."""
    database = Database(postgres_database)
    await fill(database)
    yield database
    await database.close()


async def fill(database: Database) -> None:
    async with database.system_session() as session:
        session.add_all(User(email=f"{name}@example.com", name=name) for name in ("hana", "taro"))
    for owner, codes in ((1, ("one", "two")), (2, ("of Taro",))):
        async with database.session(owner) as session:
            session.add_all(BackupCode(user_id=owner, code_hash=code) for code in codes)


async def codes(session: AsyncSession) -> list[str]:
    return sorted((await session.scalars(select(BackupCode.code_hash))).all())


class TestTables:
    """What to do where one of these fails stands in `app/row_security.py`."""

    async def test_each_has_forced_row_level_security(self, database: Database) -> None:
        async with database.system_session() as session:
            found = await session.execute(
                text(
                    "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
                    "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
                )
            )
            forced: dict[str, bool] = dict(iter(found))
        for name, table in Base.metadata.tables.items():
            line = protecting(table)
            assert forced[name], f"add {line} of app.row_security to the migration of {name}"
        assert not [
            name for name in forced if name not in {*Base.metadata.tables, "alembic_version"}
        ]

    async def test_each_with_an_owner_has_a_policy_for_it(self, database: Database) -> None:
        async with database.system_session() as session:
            found = await session.execute(
                text("SELECT tablename, qual FROM pg_policies WHERE :role = ANY(roles)"),
                {"role": USER_ROLE},
            )
            policies: dict[str, str] = dict(iter(found))
        for name, table in Base.metadata.tables.items():
            wanted: list[str] = []
            if owner := owner_of(table):
                wanted = [f"{owner} = ( SELECT app_user_id()"]
            elif part := part_of(table):
                wanted = [f"{name}.{part[0]}", f"FROM {part[1]} whole"]
            add = f"add {protecting(table)} of app.row_security to its migration"
            assert all(words in policies.get(name, "") for words in wanted), add

    async def test_neither_role_passes_over_it(self, database: Database) -> None:
        async with database.system_session() as session:
            roles = await session.execute(
                text(
                    "SELECT rolname FROM pg_roles WHERE rolname = ANY(:names) "
                    "AND NOT (rolsuper OR rolbypassrls OR rolcanlogin)"
                ),
                {"names": [USER_ROLE, SYSTEM_ROLE]},
            )
            assert len(roles.all()) == 2


class TestWithoutTheFilter:
    """Queries that forgot whose rows they want."""

    async def test_a_user_sees_their_own_rows_alone(self, database: Database) -> None:
        async with database.session(1) as session:
            assert await codes(session) == ["one", "two"]
            assert (await session.scalars(select(User.id))).all() == [1]

    async def test_nobody_sees_nothing(self, database: Database) -> None:
        async with database.session() as session:
            assert await codes(session) == []
            assert await session.scalar(select(func.count()).select_from(User)) == 0

    async def test_rows_of_others_are_neither_changed_nor_deleted(self, database: Database) -> None:
        async with database.session(1) as session:
            changed = update(BackupCode).values(code_hash="mine now").where(BackupCode.id == 3)
            assert (await session.execute(changed.returning(BackupCode.id))).all() == []
            assert (
                len((await session.execute(delete(BackupCode).returning(BackupCode.id))).all()) == 2
            )
        async with database.system_session() as session:
            assert await codes(session) == ["of Taro"]

    async def test_nothing_is_given_to_others(self, database: Database) -> None:
        for statement in (
            "UPDATE backup_codes SET user_id = 2",
            "INSERT INTO backup_codes (user_id, code_hash) VALUES (2, 'mine')",
        ):
            async with database.session(1) as session:
                with pytest.raises(DBAPIError, match="violates row-level security"):
                    await session.execute(text(statement))
                await session.rollback()

    async def test_nobody_makes_themselves_an_administrator(self, database: Database) -> None:
        async with database.session(1) as session:
            with pytest.raises(DBAPIError, match="permission denied"):
                await session.execute(text("UPDATE users SET role = 'admin'"))
            await session.rollback()


class TestWhatIsSharedByAll:
    """`shared_rows`, on a table that nobody owns."""

    @pytest.fixture
    async def shop(self, postgres_database: str) -> AsyncIterator[Database]:
        with _migrating(postgres_database) as connection:
            connection.exec_driver_sql("CREATE TABLE goods (id serial PRIMARY KEY, name text)")
            with Operations.context(MigrationContext.configure(connection)):
                shared_rows("goods")
        database = Database(postgres_database)
        async with database.system_session() as session:
            await session.execute(text("INSERT INTO goods (name) VALUES ('tea')"))
        yield database
        await database.close()

    @pytest.mark.parametrize("user", [None, 1])
    async def test_everybody_reads_it(self, shop: Database, user: int | None) -> None:
        async with shop.session(user) as session:
            assert (await session.scalars(text("SELECT name FROM goods"))).all() == ["tea"]

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO goods (name) VALUES ('mine')",
            "UPDATE goods SET name = ''",
            "DELETE FROM goods",
        ],
    )
    async def test_no_user_changes_it(self, shop: Database, statement: str) -> None:
        async with shop.session(1) as session:
            with pytest.raises(DBAPIError, match="permission denied"):
                await session.execute(text(statement))
            await session.rollback()


class TestWhomItActsFor:
    async def test_may_change_on_the_way(self, database: Database) -> None:
        async with database.session(2) as session:
            assert await codes(session) == ["of Taro"]
            with as_system(session):
                assert len(await codes(session)) == 3
            assert await codes(session) == ["of Taro"]
            act_as(session, 1)
            assert len(await codes(session)) == 2

    async def test_is_right_behind_a_savepoint_that_was_rolled_back(
        self, database: Database
    ) -> None:
        async with database.session(1) as session:
            await codes(session)
            nested = await session.begin_nested()
            act_as(session, 2)
            await codes(session)
            await nested.rollback()
            assert await codes(session) == ["of Taro"]
            act_as(session, 1)
            assert len(await codes(session)) == 2

    async def test_ends_with_the_transaction(self, database: Database) -> None:
        async with database.session() as session:
            act_as_system(session)
            assert len(await codes(session)) == 3
        # The same connection, from the pool.
        async with database.session() as session:
            assert await codes(session) == []
        async with database.engine.connect() as connection:
            assert await connection.scalar(text("SELECT current_user")) == USER_ROLE
            assert (await connection.scalars(select(BackupCode.id))).all() == []


@pytest.fixture
def no_roles(postgres_url: str) -> Iterator[None]:
    """The server as it is before the first migration: with neither role."""
    aside = {role: f"{role}_aside" for role in (USER_ROLE, SYSTEM_ROLE)}
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for role, other in aside.items():
            connection.execute(f"ALTER ROLE {role} RENAME TO {other}")
        yield
        for role, other in aside.items():
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"ALTER ROLE {other} RENAME TO {role}")


@pytest.fixture
def house(postgres_url: str, no_roles: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of somebody who has the rights that the test says."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        before = _roles(connection)
        connection.execute(f"CREATE ROLE landlord LOGIN {request.param}")
        connection.execute("CREATE DATABASE house OWNER landlord")
        yield postgres_url.replace("postgres:", "landlord:", 1).replace("/postgres", "/house", 1)
        connection.execute("DROP DATABASE house")
        made = ", ".join(_roles(connection) - before)
        connection.execute(f"DROP OWNED BY {made}".encode())
        connection.execute(f"DROP ROLE {made}".encode())


def _roles(connection: psycopg.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


@pytest.mark.usefixtures("_postgres_template")
@pytest.mark.parametrize("house", ["CREATEROLE", "CREATEROLE BYPASSRLS"], indirect=True)
async def test_whoever_owns_the_database_need_not_be_a_superuser(house: str) -> None:
    """Supabase's `postgres` has the second: it would pass over all of it by itself."""
    upgrade(house)
    database = Database(house)
    await fill(database)

    async with database.session(1) as session:
        assert await codes(session) == ["one", "two"]
    await database.close()


@pytest.mark.usefixtures("_postgres_template")
@pytest.mark.parametrize("house", ["CREATEROLE"], indirect=True)
async def test_by_another_name_it_finds_the_rows_that_were_there(
    house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of a table that came under the second of three names, and by the first again."""
    upgrade(house)
    database = Database(house)
    await fill(database)
    await database.close()

    for slug in ("second", "third", SLUG):
        user, system = role_name(slug, "user"), role_name(slug, "system")
        for module in (acting, row_security):
            monkeypatch.setattr(module, "USER_ROLE", user)
        monkeypatch.setattr(row_security, "SYSTEM_ROLE", system)
        monkeypatch.setattr(acting, "SYSTEM", acting.Actor(system))
        upgrade(house)
        if slug == "second":
            with psycopg.connect(house) as connection:
                connection.execute(
                    """CREATE TABLE later AS SELECT 1 AS user_id;
                    ALTER TABLE later ENABLE ROW LEVEL SECURITY;
                    CREATE POLICY user_rows ON later TO second_user USING (user_id = app_user_id());
                    GRANT SELECT ON later TO second_user"""
                )
        database = Database(house)
        async with database.session(1) as session:
            assert await codes(session) == ["one", "two"]
            assert await session.scalar(text("SELECT count(*) FROM later")) == 1
        async with database.session(2) as session:
            assert await codes(session) == ["of Taro"]
            assert await session.scalar(text("SELECT count(*) FROM later")) == 0
        async with database.system_session() as session:
            assert len(await codes(session)) == 3
        await database.close()


def test_a_table_of_nobody_is_kept_from_users_and_says_how_they_may_read_it() -> None:
    line = protecting(Table("goods", MetaData(), Column("id", Integer)))
    assert line == 'system_rows("goods")  # shared_rows, where users read them'


def test_a_product_of_two_words_has_roles_too() -> None:
    assert role_name("my-app", "user") == "my_app_user"
