"""Row-level security of tables, for migrations: a line for each table that they make."""

from typing import Final

from alembic import op
from sqlalchemy import Connection, Table, text

from app.acting import SYSTEM_ROLE, USER_ROLE

ALL_RIGHTS: Final = "SELECT, INSERT, UPDATE, DELETE"


def owner_of(table: Table) -> str | None:
    """The column that says whose a row of `table` is, if it is anybody's."""
    if table.name == "users":
        return "id"
    for column in table.columns:
        of_users = any(key.target_fullname == "users.id" for key in column.foreign_keys)
        if of_users or column.name in {"owner_id", "user_id"}:
            return str(column.name)
    return None


def part_of(table: Table) -> tuple[str, str] | None:
    """A column of `table`, and the table with an owner whose row's id is in it."""
    for column in table.columns:
        for key in column.foreign_keys:
            if owner_of(key.column.table) or part_of(key.column.table):
                return str(column.name), str(key.column.table.name)
    return None


def protecting(table: Table) -> str:
    """The line that the migration of a new table needs; autogenerate writes it."""
    if owner := owner_of(table):
        return f'own_rows("{table.name}", "{owner}")'
    if part := part_of(table):
        return f'part_rows("{table.name}", "{part[0]}", "{part[1]}")'
    return f'system_rows("{table.name}")  # shared_rows, where users read them'


def own_rows(table: str, owner: str, *, rights: str = ALL_RIGHTS) -> None:
    """A user sees and writes only rows that have their id in the column `owner`.

    `rights` are what they may do to these at all, as GRANT says it. Nothing on SQLite.
    """
    if not _is_postgresql():
        return
    _user_rows(table, f"{owner} = (SELECT app_user_id())", rights)


def part_rows(table: str, column: str, whole: str, *, rights: str = ALL_RIGHTS) -> None:
    """A user sees and writes only rows that belong, by `column`, to a row of theirs in `whole`.

    Nothing on SQLite.
    """
    if not _is_postgresql():
        return
    mine = f"EXISTS (SELECT FROM {whole} AS whole WHERE whole.id = {table}.{column})"
    _user_rows(table, mine, rights)


def system_rows(table: str) -> None:
    """Only the app itself sees and writes rows of this table. Nothing on SQLite."""
    if not _is_postgresql():
        return
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY system_rows ON {table} TO {SYSTEM_ROLE} USING (true)")
    op.execute(f"GRANT {ALL_RIGHTS} ON {table} TO {SYSTEM_ROLE}")
    _grant_sequences(table, SYSTEM_ROLE)


def shared_rows(table: str) -> None:
    """Everybody reads all rows, visitors too; only the app itself writes them.

    For what is the same for all, such as a catalogue. Nothing on SQLite.
    """
    if not _is_postgresql():
        return
    system_rows(table)
    op.execute(f"CREATE POLICY user_rows ON {table} FOR SELECT TO {USER_ROLE} USING (true)")
    op.execute(f"GRANT SELECT ON {table} TO {USER_ROLE}")


def open_rows(table: str) -> None:
    """Take it all back, where the table itself stays."""
    if not _is_postgresql():
        return
    for policy in ("user_rows", "system_rows"):
        op.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
    for role in (USER_ROLE, SYSTEM_ROLE):
        op.execute(f"REVOKE ALL ON {table} FROM {role}")


def make_roles(connection: Connection | None = None) -> None:
    """The two roles, for whoever runs migrations to take on; those that are there stay.

    Roles belong to the whole server. Where this user may not make any, somebody else has to.
    """
    connection = connection or op.get_bind()
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    there = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    for role in (USER_ROLE, SYSTEM_ROLE):
        if role not in there:
            connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        member = text("SELECT pg_has_role(:role, 'USAGE')")
        if not connection.scalar(member, {"role": role}):
            connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))


def take_over_roles(connection: Connection) -> None:
    """Where the product was called otherwise: its roles may do what those of that name could.

    They become members of these, which stay, since other databases of the server may need them.
    """
    found = text(
        "SELECT DISTINCT policyname, other FROM pg_policies, unnest(roles) AS other "
        "WHERE schemaname = current_schema() AND policyname IN ('user_rows', 'system_rows') "
        "AND other NOT IN (:user, :system)"
    )
    names = {"user": USER_ROLE, "system": SYSTEM_ROLE}
    if not (others := connection.execute(found, names).all()):
        return
    make_roles(connection)
    member = text("SELECT pg_has_role(:role, :of, 'USAGE')")
    for policy, other in others:
        role = USER_ROLE if policy == "user_rows" else SYSTEM_ROLE
        if connection.scalar(member, {"role": role, "of": other}):
            continue
        # A name that comes back had been taken over by the one between.
        connection.execute(text(f"REVOKE {role} FROM {other}"))
        connection.execute(text(f"GRANT {other} TO {role}"))


def _user_rows(table: str, mine: str, rights: str) -> None:
    system_rows(table)
    op.execute(f"CREATE POLICY user_rows ON {table} TO {USER_ROLE} USING ({mine})")
    op.execute(f"GRANT {rights} ON {table} TO {USER_ROLE}")
    _grant_sequences(table, USER_ROLE)


def _grant_sequences(table: str, role: str) -> None:
    owned = text(
        "SELECT objid::regclass::text FROM pg_depend JOIN pg_class ON pg_class.oid = objid "
        "WHERE refobjid = CAST(:table AS regclass) AND relkind = 'S'"
    )
    for sequence in op.get_bind().scalars(owned, {"table": table}).all():
        op.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {role}")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
