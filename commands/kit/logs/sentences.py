"""What `manage.py logs` says: (English, Japanese) by key."""

LOG_SENTENCES: dict[str, tuple[str, str]] = {
    "logs_progress": ("{rows} rows, {rate} a second", "{rows} 行、毎秒 {rate} 行"),
    # The store
    "logs_store_empty": (
        "The log store {name} has no tables yet; they are made with the first row that is "
        "delivered.",
        "ログの保存先 {name} にはまだテーブルがありません。最初の行が届いたときに作られます。",
    ),
    "logs_store_silent": (
        "The log store {name} does not answer ({reason}); start it, or mend TURSO_URL in {place}.",
        "ログの保存先 {name} が応答しません（{reason}）。起動するか、{place}の TURSO_URL を"
        "直してください。",
    ),
    "logs_store_refuses": (
        "The log store {name} refuses ({reason}); mend TURSO_URL and TURSO_TOKEN in {place}.",
        "ログの保存先 {name} に拒否されました（{reason}）。{place}の TURSO_URL と TURSO_TOKEN を"
        "直してください。",
    ),
    "logs_store_fails": (
        "The log store {name} could not do it: {reason}",
        "ログの保存先 {name} で処理できませんでした: {reason}",
    ),
    # status
    "logs_place": ("{folder} → {store}", "{folder} → {store}"),
    "logs_state": ("Process {pid}: {state}", "プロセス {pid}: {state}"),
    "logs_state_starting": ("is starting.", "起動しています。"),
    "logs_state_delivering": ("delivers.", "配送しています。"),
    "logs_state_unavailable": (
        "waits for the store to answer.",
        "保存先の応答を待っています。",
    ),
    "logs_state_refused": (
        "is refused by the store until somebody mends it.",
        "保存先に拒否されています。設定を直すまで届きません。",
    ),
    "logs_state_stopped": (
        "has stopped: the store rejects more than a fifth of the rows.",
        "止まっています。保存先が 5 分の 1 を超える行を受け付けません。",
    ),
    "logs_state_broken": (
        "has a fault and tries again.",
        "不具合があり、再試行しています。",
    ),
    "logs_nobody_delivers": (
        "Nobody delivers; the app does when it runs, and `python3 manage.py logs ship` without it.",
        "配送しているプロセスはありません。アプリの実行中はアプリが、それ以外は "
        "`python3 manage.py logs ship` が配送します。",
    ),
    "logs_last_error": ("Last error: {error}", "最後のエラー: {error}"),
    "logs_appended": ("rows were recorded. Of these", "行が記録されました。内訳:"),
    "logs_shipped": ("are in the store,", "保存先に届いた行"),
    "logs_pending": ("wait in the CSV files,", "CSV ファイルで配送待ちの行"),
    "logs_quarantined": ("lie in quarantine,", "隔離されている行"),
    "logs_dropped": ("were dropped.", "失われた行"),
    "logs_unaccounted": (
        "are unaccounted for (-1 for a process that was killed is normal).",
        "行方が分からない行（強制終了ごとに -1 は正常です）",
    ),
    "logs_elsewhere": (
        "{rows} of the delivered rows went to another store, {stores}. `python3 manage.py logs "
        "verify` tells which are missing here, and `python3 manage.py logs import {files}` brings "
        "those that are still in the files; for older ones see docs/trace-log.md.",
        "届いた行のうち {rows} 行は、以前の保存先 {stores} にあります。`python3 manage.py logs "
        "verify` で今の保存先にない行が分かり、`python3 manage.py logs import {files}` で CSV に"
        "残っている行を入れられます。それより古い行は docs/trace-log.ja.md を見てください。",
    ),
    "logs_lag": (
        "The oldest that waits is {seconds} s old; together they have {size}.",
        "最も古い配送待ちは {seconds} 秒前の行で、合わせて {size} です。",
    ),
    "logs_table": (
        "{name}  files: {files}  size: {size}  waiting rows: {pending}",
        "{name}  ファイル: {files}  サイズ: {size}  配送待ち: {pending} 行",
    ),
    # ship
    "logs_shipping": (
        "Delivering from {folder} to {store}. (Ctrl+C ends it)",
        "{folder} から {store} へ配送しています。（終了は Ctrl+C）",
    ),
    "logs_draining": ("Delivering what still waits ...", "残りを配送しています ..."),
    "logs_ended": ("Ended; {pending} rows wait.", "終了しました。配送待ちは {pending} 行です。"),
    "logs_shipped_now": (
        "Delivered {rows} rows; nothing of what waited is left.",
        "{rows} 行を届けました。待っていた行は残っていません。",
    ),
    "logs_not_shipped": (
        "Rows still wait, since they cannot be delivered to {store}: {reason}",
        "{store} に届けられない行が残っています: {reason}",
    ),
    "logs_no_progress": ("it makes no progress.", "進んでいません。"),
    # verify
    "logs_same": ("are the same in the journal and in the store.", "CSV と保存先で同じ行"),
    "logs_moved": (
        "are in the store under another id, since theirs was taken.",
        "id が重なり、別の id で保存された行",
    ),
    "logs_expired": (
        "were deleted from the store because of their age or its size.",
        "保存期間か容量のため保存先から削除された行",
    ),
    "logs_missing": ("MISSING in the store.", "保存先にない行（異常）"),
    "logs_different": ("DIFFERENT in the store.", "保存先で内容が違う行（異常）"),
    "logs_damaged": ("DAMAGED places in the CSV files.", "CSV ファイルの壊れた箇所（異常）"),
    "logs_extra": (
        "EXTRA in the store: rows of another host, or that the CSV files have lost.",
        "保存先にだけある行（別のホストの行か、CSV から失われた行）",
    ),
    "logs_agrees": ("They agree.", "一致しています。"),
    "logs_differs": ("They differ.", "一致していません。"),
    # export, import
    "logs_export_into_log": (
        "{folder} is the log folder itself; export into another one.",
        "{folder} はログのフォルダーそのものです。別のフォルダーに書き出してください。",
    ),
    "logs_export_exists": (
        "{path} is there already; move it, or export into another folder.",
        "{path} はすでにあります。移すか、別のフォルダーに書き出してください。",
    ),
    "logs_exported": ("{path}: {rows} rows", "{path}: {rows} 行"),
    "logs_unknown_table": (
        "Neither the name nor the header of {path} tells its table; say --table with one of: "
        "{tables}.",
        "{path} の名前と見出しからはテーブルが分かりません。--table で指定してください: {tables}",
    ),
    "logs_unreadable": (
        "{path} cannot be read: {reason}.",
        "{path} を読めません: {reason}",
    ),
    "logs_unusable": (
        "{path} cannot be used: {reason}.",
        "{path} を使えません: {reason}",
    ),
    "logs_no_name": (
        "The name of a file or folder is empty.",
        "ファイルかフォルダーの名前が空です。",
    ),
    "logs_import_pipe": (
        "{path} can be read only once; save what comes out of it in a file first.",
        "{path} は一度しか読めません。いったんファイルに保存してから指定してください。",
    ),
    "logs_import_empty": ("{path} is empty.", "{path} は空です。"),
    "logs_import_packed": (
        "{path} is packed, or a workbook; unpack it, or save it as CSV, first.",
        "{path} は圧縮ファイルかブックです。展開するか、CSV で保存してから指定してください。",
    ),
    "logs_import_encoding": (
        "{path} is no text in UTF-8; save it as UTF-8 first.",
        "{path} は UTF-8 のテキストではありません。UTF-8 で保存し直してください。",
    ),
    "logs_import_separator": (
        "{path} has {what!r} between its fields; save it with commas first.",
        "{path} は {what!r} で区切られています。コンマ区切りで保存し直してください。",
    ),
    "logs_import_header": (
        "The first line of {path} names no column created_at, so its rows have no time.",
        "{path} の見出しに created_at がなく、行の時刻が分かりません。",
    ),
    "logs_import_twice": (
        "{path} has two columns named {what}.",
        "{path} には {what} という列が二つあります。",
    ),
    "logs_import_rounded": (
        "A spreadsheet has rounded the ids of {path}; import the file as it was before.",
        "{path} の id は表計算ソフトで丸められています。保存し直す前のファイルを指定してください。",
    ),
    "logs_unknown_zone": (
        "There is no time zone {name!r}; write one as Asia/Tokyo.",
        "{name!r} というタイムゾーンはありません。Asia/Tokyo のように書いてください。",
    ),
    "logs_imported": (
        "{written} rows are new in the store, {known} were there already.",
        "新しく {written} 行を入れました。{known} 行はすでにありました。",
    ),
    "logs_import_moved": (
        "{rows} of them have another id, since theirs was taken.",
        "id が重なった {rows} 行は別の id になりました。",
    ),
    "logs_import_guessed": (
        "{rows} did not fit the header; their values told the columns.",
        "{rows} 行は見出しに合わず、値から列を判断しました。",
    ),
    "logs_import_old": (
        "{rows} are older than the {days} days of LOG_RETENTION_DAYS and will be deleted soon, "
        "unless it is raised.",
        "{rows} 行は LOG_RETENTION_DAYS の {days} 日より古いため、増やさない限り近いうちに"
        "削除されます。",
    ),
    "logs_import_bad": (
        "{rows} could not be read and were left out.",
        "{rows} 行は読めなかったため入れていません。",
    ),
    # prune, quarantine
    "logs_pruned_store": (
        "Deleted {rows} rows from the store.",
        "保存先から {rows} 行を削除しました。",
    ),
    "logs_pruned_folder": (
        "Removed {files} CSV files ({size} bytes).",
        "CSV ファイルを {files} 個（{size} バイト）削除しました。",
    ),
    "logs_folder_is_tended": (
        "The CSV files are looked after by the process that delivers.",
        "CSV ファイルは、配送中のプロセスが整理しています。",
    ),
    "logs_pruned_dropped": (
        "{rows} rows that were never delivered had to be dropped.",
        "届いていない {rows} 行を捨てました。",
    ),
    "logs_still_too_large": (
        "The store is still larger than LOG_STORE_MAX_BYTES: all other rows are younger than an "
        "hour.",
        "保存先はまだ LOG_STORE_MAX_BYTES を超えています。残りはすべて 1 時間以内の行です。",
    ),
    "logs_quarantine_empty": ("Nothing lies in quarantine.", "隔離されているものはありません。"),
    "logs_quarantine_lists": (
        "{rows} in quarantine; --retry delivers what can be by now, --discard gives them up.",
        "{rows} 件が隔離されています。--retry で再配送、--discard で破棄します。",
    ),
    "logs_quarantine_retried": (
        "Delivered {shipped}; {left} are left.",
        "{shipped} 件を届けました。残りは {left} 件です。",
    ),
    "logs_quarantine_discarded": (
        "Gave up {rows}; they count as dropped.",
        "{rows} 件を破棄しました（失われた行として数えます）。",
    ),
}
