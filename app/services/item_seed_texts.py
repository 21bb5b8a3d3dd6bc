"""Made-up items that look like a small company's work, in Japanese and English."""

from random import Random
from typing import Final

_PLACES_JA: Final = (
    *("札幌", "仙台", "東京", "横浜", "新潟", "金沢", "名古屋", "京都", "大阪", "神戸"),
    *("岡山", "広島", "高松", "福岡", "熊本", "鹿児島", "那覇", "長野", "静岡", "盛岡"),
)
_TEAMS_JA: Final = (
    *("営業部", "経理部", "開発チーム", "広報室", "人事課", "品質保証", "物流センター"),
    *("カスタマーサポート", "総務", "デザインチーム", "情報システム", "法務"),
)
_THINGS_JA: Final = (
    *("見積書", "請求書", "契約書", "週報", "議事録", "設計書", "手順書", "稟議書", "企画書"),
    *("採用ページ", "製品カタログ", "在庫一覧", "アンケート", "障害報告", "研修資料", "予算案"),
    *("ログイン画面", "検索機能", "バックアップ", "アクセス権", "証明書", "料金表", "利用規約"),
    *("展示会の準備", "新人歓迎会", "定例会議", "棚卸し", "避難訓練", "プレスリリース"),
)
_DEEDS_JA: Final = (
    *("を作成する", "を確認する", "を見直す", "を送付する", "の担当者を決める", "を更新する"),
    *("について相談する", "の日程を調整する", "を承認してもらう", "を翻訳する", "を整理する"),
)
_REASONS_JA: Final = (
    "先月の打ち合わせで出た意見をまとめてから進めてください。",
    "締め切りは月末ですが、早めに共有しておくと助かります。",
    "前回の資料は共有フォルダの「{place}」に置いてあります。",
    "不明な点は{team}に聞いてください。電話よりメールが確実です。",
    "お客様から再度お問い合わせがあったため、優先度を上げました。",
    "数字の根拠が古いので、最新の実績に差し替えます。",
    "{place}支店でも同じ作業をしているので、重複しないように連絡を取り合うこと。",
    "テスト環境では問題なし。本番への反映は金曜日の夜に行います。",
    "写真と図を追加し、初めて読む人にも分かるように書き直します。",
    "費用は{amount}円まで。超える場合は部長の承認が必要です。",
)

_PLACES_EN: Final = (
    *("Sapporo", "Tokyo", "Kyoto", "Osaka", "Berlin", "Lisbon", "Toronto", "Austin", "Oslo"),
    *("Nairobi", "Singapore", "Melbourne", "Bristol", "Lyon", "Tallinn", "Seoul"),
)
_TEAMS_EN: Final = (
    *("sales", "accounting", "platform", "support", "design", "legal", "logistics"),
    *("marketing", "data", "facilities", "quality", "security"),
)
_THINGS_EN: Final = (
    *("quote", "invoice", "contract", "weekly report", "meeting notes", "design document"),
    *("onboarding guide", "price list", "incident review", "backup job", "landing page"),
    *("search index", "customer survey", "stock count", "budget draft", "release checklist"),
    *("access rights", "training slides", "press release", "office move", "API client"),
)
_DEEDS_EN: Final = (
    *("Draft", "Review", "Send", "Update", "Translate", "Tidy up", "Approve", "Plan"),
    *("Publish", "Rewrite", "Check", "Hand over"),
)
_REASONS_EN: Final = (
    "Collect what was said in last month's meeting before you start.",
    "Due at the end of the month; an early draft would help everybody.",
    "The previous version is in the shared folder of the {place} office.",
    "Ask the {team} team when something is unclear, preferably by mail.",
    "A customer asked again, so this moved up the list.",
    "The figures are out of date and need this quarter's results.",
    "The {place} branch works on the same thing: agree who does what.",
    "Nothing odd in staging. Production follows on Friday night.",
    "Add pictures and write it so that a newcomer can follow.",
    "Spend at most {amount} yen; anything above needs approval.",
)


def made_up_text(random: Random) -> tuple[str, str]:
    """A title and a description; three in five are Japanese."""
    if random.random() < 0.6:
        place, team = random.choice(_PLACES_JA), random.choice(_TEAMS_JA)
        title = f"{place}{team}の{random.choice(_THINGS_JA)}{random.choice(_DEEDS_JA)}"
        reasons, joint = _REASONS_JA, ""
    else:
        place, team = random.choice(_PLACES_EN), random.choice(_TEAMS_EN)
        title = f"{random.choice(_DEEDS_EN)} the {random.choice(_THINGS_EN)} for {place} {team}"
        reasons, joint = _REASONS_EN, " "
    if random.random() < 0.3:
        title += f" #{random.randrange(1, 100_000)}"
    sentences = random.sample(reasons, random.randrange(4))
    amount = f"{random.randrange(1, 500) * 1000:,}"
    return title, joint.join(sentences).format(place=place, team=team, amount=amount)
