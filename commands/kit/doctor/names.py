"""What the doctor looks at, by its name in Japanese; what is not here is called the same there."""

NAMES_IN_JAPANESE: dict[str, str] = {
    "Packages": "パッケージ",
    "Settings": "設定",
    "Folders": "フォルダー",
    "Disk": "ディスク",
    "Port": "ポート",
    "Database": "データベース",
    "Database clock": "データベースの時計",
    "Database role": "データベースロール",
    "Row security": "行単位の制限",
    "Pooler": "プーラー",
    "Tables": "テーブル",
    "Supabase clock": "Supabase の時計",
    "Supabase secret": "Supabase の秘密",
    "Supabase tokens": "Supabase トークン",
    "Log store": "ログの保存先",
    "Log token": "ログのトークン",
    "Log tables": "ログのテーブル",
    "Mail": "メール",
    "Servers": "サーバー",
}
