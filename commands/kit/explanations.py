"""In Japanese: what `--help` says of each command, and what is said of arguments that do not fit.

The English is where the arguments are, and in `argparse` itself.
"""

COMMANDS_IN_JAPANESE: dict[str, str] = {
    "run": """\
アプリをこの環境で起動します。

初回は .env を書き、テーブル、デモ用の管理者、例のアイテムを作ります。
Ctrl+C か SIGTERM で終わります。""",
    "test": """\
すべてを検査してテストします。

引数を付けると pytest だけを実行し、引数を渡します: `manage.py test tests/lib -k journal`
--live-supabase を付けると、アカウントの操作を本物の Supabase Auth で試します。相手は
SUPABASE_AUTH_URL、SUPABASE_PUBLISHABLE_KEY、SUPABASE_SECRET_KEY で、届いたメールを受ける
サーバーは MAILPIT_URL で指定します。""",
    "ci": """\
test と同じですが、この環境でテストできない部分があれば失敗になります。
引数を付けると pytest だけを実行し、引数を渡します。""",
    "install": "アプリに必要なパッケージを .venv に入れます。ほかのことはしません。",
    "migrate": "データベースを最新にします。または、モデルから新しいマイグレーションを作ります。",
    "seed": "デモ用の管理者に例のアイテムを作ります。",
    "user": "ユーザーの一覧と追加、管理者への変更、サインインできなくなった人の復旧。",
    "keys": """\
docker-compose.yml の Supabase Auth が使う秘密と、それで署名した二つのキーを作り、.env に
書きます。""",
    "logs": "トレースログの状態を調べ、届け、照合し、移し、古いものを消します。",
    "logs status": "すべての行がどうなったかと、配送の状態を示します。",
    "logs ship": "CSV ファイルで待っている行を届けます。終了を求められるまで続けます。",
    "logs verify": "CSV ファイルと保存先を 1 行ずつ照合します。違いがあれば終了コードは 1 です。",
    "logs export": "保存先の行を、元のままの CSV ファイルに書き出します。",
    "logs import": "CSV ファイルを保存先に読み込みます。繰り返しても、どの行も一度だけです。",
    "logs prune": "設定した期間や量を超えたものを、いま消します。",
    "logs quarantine": "届けられない行と、その理由を一覧します。",
    "doctor": "この環境を調べ、問題の有無とその直し方を 1 行ずつ示します。",
    "css": """\
ブラウザーが読むファイルを作ります。app/static、htmx、uPlot を、内容にもとづく名前で
app/static/dist に置きます。

スタイルシートのもとは app/static/css/app.css です。Tailwind と daisyUI がテンプレートを読み、
使われているクラスだけを残します。結果はリポジトリに入れるので、動かすのに Node は要りません。""",
    "messages": "翻訳が必要なテキストをソースから集め、翻訳のファイルに反映します。",
    "pictures": "README と文書の画像を、デモ用のデータで動くアプリから作ります。",
    "bench": """\
アプリの速さをこの環境で測ります。

bench recording  トレースログがリクエストに加える CPU 時間
bench http       トレースログを付けて、サーバーが 1 秒に応答できるリクエストの数
bench append     プロセスが 1 秒に書ける行の数
bench stall      応答しない保存先がアプリに与える影響
bench delivery   たまった行が sqld に届く速さ
bench items      とても長い一覧の 1 ページを表示する時間
bench explorer   トレースログのページを表示する時間
bench browser    トレースログのページが本物のブラウザーにかける負担
bench import     インポートとエクスポートの 1 秒あたりの行の数
bench memory     起動してから応答するまでの時間と、使うメモリー

`bench 名前 --help` で詳しい説明（英語）が出ます。""",
    "faults": """\
トレースログに無作為に障害を起こし、すべての行があるべき場所にあるかを 1 分ごとに確かめます。

プロセスを強制終了したり止めたりし、サーバーや経路を使えなくし、ディスクを満杯にし、行を
途中で切り、ファイルを急いで封じます。--imports では、インポート中のプロセスを指定した回数だけ
強制終了します。--away では、インポートの途中でデータベースを指定した秒数だけ使えなくします。
PostgreSQL ではサーバーを止め、SQLite のファイルはほかのプログラムがロックします。
約束が一つでも破られると、すぐに終了コード 1 で終わります。""",
    "lock": """\
直接使うパッケージの短い一覧（requirements*.in）から、ハッシュ付きの requirements*.txt を
作ります。""",
    "rename": """\
製品の名前を変えます。対象はページ、メール、クッキー、パッケージ、画像です。

クッキーの名前も変わるので、全員が一度サインアウトされます。LICENSE には、ライセンスが
求めるとおり、テンプレートの作者が残ります。""",
    "remove": """\
例の部分を、跡を残さずに一度でプロジェクトから取り除きます。

その部分のファイルを消し、ほかのファイルからその行を除き、それにともなって変わるもの（import、
翻訳、スタイルシート、パッケージの一覧、テーブルを消す新しいマイグレーション）もそろえます。
何が変わったかを `git diff` で見られるように、先にコミットしてください。マイグレーションは、
使う前に確かめてください。ユーザーが保存したファイルはそのまま残ります。""",
}
"""By the name of the command, with that of its action where it has some."""

ARGUMENTS_IN_JAPANESE: dict[str, str] = {
    "address to listen on (HOST)": "待ち受けるアドレス（HOST）",
    "port to listen on (PORT)": "待ち受けるポート（PORT）",
    "start anew when the code changes": "コードが変わるたびに再起動する",
    "test against a real Supabase Auth, see above": "本物の Supabase Auth で試す（上記）",
    "write a file in migrations/versions": "migrations/versions にファイルを作る",
    "how many (200)": "件数（200）",
    "all users, oldest first": "すべてのユーザーを古い順に示す",
    "a new user, with a password that is printed once": (
        "ユーザーを追加し、パスワードを一度だけ表示する"
    ),
    "how the app calls them; otherwise from the address": (
        "アプリでの呼び名。省くとアドレスから決める"
    ),
    "make them an administrator": "管理者にする",
    "give a user the rights of an administrator": "ユーザーを管理者にする",
    "a new password, printed once; ends all sign-ins": (
        "新しいパスワードを一度だけ表示し、すべての端末からサインアウトさせる"
    ),
    "for whoever lost theirs; ends all sign-ins": (
        "2 段階認証をオフにし、すべての端末からサインアウトさせる"
    ),
    "print the result as JSON": "結果を JSON で表示する",
    "tell the progress also where there is no terminal": "端末でなくても経過を示す",
    "end when nothing waits any more": "待っている行がなくなったら終わる",
    "with --once, give up after so long without progress (30)": (
        "--once で、進まないまま何秒たったら諦めるか（30）"
    ),
    "rows that only the store has are wrong too (so for a local file)": (
        "保存先にしかない行も間違いとみなす（ローカルファイルではこれが既定）"
    ),
    "other hosts deliver to the store too (so for a server)": (
        "ほかのホストも同じ保存先に届けている（サーバーではこれが既定）"
    ),
    "a folder for them": "書き出すフォルダー",
    "where neither name nor header tell it": "名前からも見出しからもわからないときのテーブル",
    "of times without one, as Asia/Tokyo (this machine's)": (
        "タイムゾーンのない時刻に使う。例: Asia/Tokyo（既定はこの環境のもの）"
    ),
    "deliver what can be by now": "いまなら届けられるものを届ける",
    "give it up; it counts as dropped": "諦める。失われたものとして数える",
    "print one JSON array": "一つの JSON 配列で表示する",
    "change nothing; 1 if stale": "何も変えず、古ければ終了コード 1 で終わる",
    "change nothing": "何も変えない",
    "those with its texts only": "この言語の画像だけを作る",
    "as another run has printed it; else a new one": (
        "前の実行が表示したシード。省くと新しく決める"
    ),
    "kill imports": "インポートをこの回数だけ強制終了する",
    "an import without database": "インポートの途中でデータベースを使えなくする秒数",
    "an empty one for imports; else SQLite": "インポート用の空のデータベース。省くと SQLite",
    "a server of its own for them": "インポート用に PostgreSQL のサーバーを起動する",
    "of %(choices)s; several are quicker at once": (
        "次から選ぶ: %(choices)s。いくつもあれば、一度に指定したほうが早い"
    ),
    "take the newest versions": "最新の版にする",
    'as people read it, such as "My App"': "人が読む名前。例: 「私のアプリ」",
    "as programs take it, such as my-app": "プログラムが使う名前。例: my-app",
}

ARGPARSE_IN_JAPANESE: dict[str, str] = {
    "usage: ": "使い方: ",
    "positional arguments": "引数",
    "options": "オプション",
    "show this help message and exit": "この説明を表示して終わる",
    "%(prog)s: error: %(message)s\n": "%(prog)s: %(message)s\n",
    "the following arguments are required: %s": "引数が足りません: %s",
    "unrecognized arguments: %s": "使えない引数です: %s",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
    "invalid choice: %(value)r (choose from %(choices)s)": (
        "%(value)r は選べません。次から選んでください: %(choices)s"
    ),
    "invalid %(type)s value: %(value)r": "%(value)r は正しい値ではありません（%(type)s）",
    "expected one argument": "値を一つ指定してください",
    "expected at least one argument": "値を一つ以上指定してください",
    "not allowed with argument %s": "%s と同時には指定できません",
    "ignored explicit argument %r": "値 %r は付けられません",
    "ambiguous option: %(option)s could match %(matches)s": (
        "%(option)s だけではどれか決まりません: %(matches)s"
    ),
}
