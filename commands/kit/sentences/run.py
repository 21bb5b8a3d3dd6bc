"""What `manage.py run` says: what the app needs, and what it uses."""

RUN_SENTENCES: dict[str, tuple[str, str]] = {
    # What the app needs
    "sqlite_fails": (
        "The database {path} cannot be used ({reason}); mend or move the file, or change "
        "DATABASE_URL.",
        "データベース {path} を使えません（{reason}）。ファイルを直すか移すか、DATABASE_URL を"
        "変えてください。",
    ),
    "supabase_direct": (
        "{host} does not answer. It has an IPv6 address only, and this machine may have none: take "
        "the URL of the session pooler from Supabase's page Connect.",
        "{host} が応答しません。"
        "IPv6 のアドレスしかないので、この環境からは届かない可能性があります。"
        "Supabase の Connect のページにある session pooler の URL にしてください。",
    ),
    "postgres_silent": (
        "PostgreSQL at {host} does not answer; start it, or mend DATABASE_URL in {place}.",
        "{host} の PostgreSQL が応答しません。起動するか、{place}の DATABASE_URL を"
        "直してください。",
    ),
    "postgres_refuses": (
        "PostgreSQL at {host} does not accept the user or password of DATABASE_URL; mend it in "
        "{place}.",
        "{host} の PostgreSQL が DATABASE_URL のユーザーかパスワードを受け付けません。"
        "{place}を直してください。",
    ),
    "postgres_no_database": (
        "PostgreSQL at {host} has no database {name!r}; create it, or mend DATABASE_URL in "
        "{place}.",
        "{host} の PostgreSQL に {name!r} というデータベースがありません。作るか、{place}の "
        "DATABASE_URL を直してください。",
    ),
    "postgres_fails": (
        "PostgreSQL at {host} cannot be used ({reason}); see whether DATABASE_URL in {place} is "
        "right.",
        "{host} の PostgreSQL を使えません（{reason}）。{place}の DATABASE_URL が正しいか"
        "確かめてください。",
    ),
    "turso_silent": (
        "The log store of TURSO_URL, {host}, does not answer ({reason}); the app runs, keeps the "
        "log in its CSV files and delivers it later.",
        "TURSO_URL のログ保存先 {host} が応答しません（{reason}）。アプリは動き、ログは CSV に"
        "残り、あとで届けられます。",
    ),
    "turso_refuses": (
        "The log store of TURSO_URL, {host}, does not accept TURSO_TOKEN (status {status}); until "
        "it is mended in {place} the log stays in the CSV files.",
        "TURSO_URL のログ保存先 {host} が TURSO_TOKEN を受け付けません（ステータス {status}）。"
        "{place}を直すまで、ログは CSV に残ります。",
    ),
    "turso_strange": (
        "The log store of TURSO_URL, {host}, answers with status {status} as no Turso server "
        "does; until TURSO_URL is mended in {place} the log stays in the CSV files.",
        "TURSO_URL のログ保存先 {host} は Turso のサーバーではないようです（ステータス {status}）。"
        "{place}を直すまで、ログは CSV に残ります。",
    ),
    "no_port": ("a port is a number from 1 to 65535", "ポートは 1 から 65535 の数です"),
    "port_taken": (
        "Port {port} is taken, perhaps by this app in another window; end that program or use "
        "another port: `python3 manage.py run --port {other}`.",
        "ポート {port} は使われています（別の画面でこのアプリが動いているかもしれません）。"
        "そちらを終えるか、別のポートを使ってください: `python3 manage.py run --port {other}`",
    ),
    "port_refused": (
        "Port {port} is reserved by the system; use one from 1024 up: "
        "`python3 manage.py run --port {other}`.",
        "ポート {port} はシステム用です。1024 以上を使ってください: "
        "`python3 manage.py run --port {other}`",
    ),
    "no_address": (
        "{host} is not an address of this machine; use --host 127.0.0.1, or 0.0.0.0 for all.",
        "{host} はこの環境のアドレスではありません。--host 127.0.0.1 か、すべてで受けるなら "
        "0.0.0.0 を使ってください。",
    ),
    "database_newer": (
        "The database is newer than this code; get the newer code, or use another database.",
        "データベースがこのコードより新しいものです。新しいコードを取得するか、"
        "別のデータベースを使ってください。",
    ),
    "migration_fails": (
        "The database could not be brought up to date: {reason}",
        "データベースを最新にできませんでした: {reason}",
    ),
    # run
    "serving": (
        "Ready: {origin}  (Ctrl+C ends it)",
        "準備ができました: {origin}（終了は Ctrl+C）",
    ),
    "uses": ("{part:<9} {what}", "{part}: {what}"),
    "uses_database": ("Database", "データベース"),
    "uses_accounts": ("Accounts", "アカウント"),
    "uses_log": ("Trace log", "トレースログ"),
    "uses_jobs": ("Jobs", "ジョブ"),
    "uses_mail": ("Mail", "メール"),
    "uses_sqlite": ("SQLite, {path}", "SQLite（{path}）"),
    "uses_postgres": ("PostgreSQL, {name} at {host}", "PostgreSQL（{host} の {name}）"),
    "uses_own_accounts": ("in the app's own database", "このアプリのデータベース"),
    "uses_supabase": ("Supabase Auth at {host}", "Supabase Auth（{host}）"),
    "uses_log_file": (
        "CSV in {folder}, then SQLite, {path}",
        "{folder} の CSV、続いて SQLite（{path}）",
    ),
    "uses_turso": (
        "CSV in {folder}, then Turso at {host}",
        "{folder} の CSV、続いて Turso（{host}）",
    ),
    "uses_jobs_file": ("DBOS on SQLite, {path}", "DBOS、SQLite（{path}）"),
    "uses_jobs_schema": ("DBOS in the same database", "DBOS、同じデータベースの中"),
    "uses_smtp": ("SMTP at {host}:{port}", "SMTP（{host}:{port}）"),
    "uses_mailbox": ("stays here, at /dev/mail", "送らずに /dev/mail に置きます"),
    "uses_no_mail": ("none is sent: SMTP_HOST is empty", "SMTP_HOST が空なので送れません"),
}
