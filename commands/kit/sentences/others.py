"""What the other commands say, but for `doctor` and `logs`."""

OTHER_SENTENCES: dict[str, tuple[str, str]] = {
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
}
