"""The look over a whole document misses nothing that the rules would find string by string."""

import json
import random
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lib.tracelog.redaction.keys import foreign, neighbours, words
from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.look import Look, look_at
from app.lib.tracelog.redaction.plain import Plain, plain
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.redaction.text.redactor import is_prose
from tests.lib.tracelog.redaction.corpus import Case, assert_each, of_each_area

REDACTOR = Redactor(extra_keys=["employee_no", "社員番号"])
JUDGE = REDACTOR.judge
HAS_KEY_SIGNS = REDACTOR.data.has_key_signs


def passes(document: object) -> bool:
    """Whether a document is shown as it is, after one look at the whole of it."""
    return REDACTOR.data.json(orjson.dumps(document))[1]


SECRET_WORDS = sorted(
    {*words.SECRET_WORDS, *words.SECRET_LAST, *words.GLUED_ANYWHERE, *words.GLUED_STARTS}
    | {
        *words.GLUED_ENDS,
        *words.RANDOM_LAST,
        *words.SESSION_LAST,
        *words.WORD_LAST,
        *words.PHRASE_LAST,
        *neighbours.VALUE_KEYS,
        *neighbours.PART_OWNERS,
    }
    | {*foreign.FOREIGN_STEMS, *(" ".join(phrase) for phrase in JUDGE.phrases)}
    | {"tokens", "key", "state", "access", "refresh", "oauth", "code", "mfa", "pass", "old value"}
)
OTHER_WORDS = sorted(
    {*words.COUNT_TAIL, *words.LABEL_TAIL, *words.FILE_TAIL, *words.FLAG_HEADS, "user", "x", "2"}
    | {*neighbours.TYPED_KEYS, *neighbours.TARGET_KEYS}
)
SEAMS = ["_", "-", ".", " ", "", "[", "\u200b", "の", "1"]

any_words = st.sampled_from([*SECRET_WORDS, *OTHER_WORDS])
styled_words = st.builds(
    lambda word, style: style(word),
    any_words,
    st.sampled_from(
        [str.lower, str.upper, str.title, str.capitalize, lambda w: w.replace(" ", "_")]
    ),
)
keys = st.one_of(
    styled_words,
    st.builds(
        lambda parts, seam: seam.join(parts),
        st.lists(styled_words, min_size=1, max_size=3),
        st.sampled_from(SEAMS),
    ),
    st.text(max_size=20),
)
PIECES = [
    "password", "token", "tokens", "is", "the", "hunter2hunter2", "4111", "1111", "41111111111111",
    " ", "  ", "-", "--", ":", "=", "'", '"', "\\", "/", "@", "%41", "\n", "\u3000", "パスワード",
    "は", "が", "を", "「", "（", "ー", "号", "語", "証", "鍵", "葉", "ID", "D", "x1", "：", "＝",
    "→", "\u2010", "\u2212", "\uff0d", "\u30fc", "\u212aey", "Bearer", "basic", "insert into a (b)",
    "', '", "code", "2026-11-25T10:30:00Z", "0f1e2d3c-1111-2222-3333-0123456789ab", "abcdefgh",
    "https://a.example/b", "<b>", "$", "é", "\x7f", "\x85", "\u2028", "買い物", "リスト", "-u a:b",
    "log in with", " / ", "Zq9x2m4k", "普通", "1234567", "でログイン", "hmac.new(b'", "vault login",
    "#password", "PIN4829", "password(Zq9x2m", "fill in", "identify ", "rabbitmqctl add_user a ",
    "/verify/", "/482913", "/reset/", "Zq9x2m", "items/", "/otp/4829", "[\"auth\", \"hunter2x\"]",
]  # fmt: skip
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.text(max_size=12))
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([4111111111111111, 378282246310005, 0.5, -1.25]),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(keys, texts), inner, max_size=4)
    ),
    max_leaves=10,
)
unhurried = settings(deadline=None, max_examples=300)


@unhurried
@given(keys)
def test_a_key_that_is_not_simply_shown_is_seen(key: str) -> None:
    hides = JUDGE(key) is not Rule.SHOW or key.lower() in neighbours.PART_OWNERS
    if JUDGE(key) is Rule.TYPED:
        # What is typed is harmless where no neighbour says what into.
        assert not passes({"target": "#password", key: "x"})
    elif key in neighbours.TABLES:
        # The names of columns are harmless without rows.
        assert not passes({key: ["a"], "rows": [["x"]]})
    elif hides:
        # A `value` is harmless where no neighbour has a name.
        assert JUDGE(key) is Rule.NAMED or not passes({key: 1})
        assert not passes([{"a": [{"name": "n", "b": [], key: "x"}]}])
    if JUDGE(key) is not Rule.SHOW:
        assert not passes([[key, "x"]])


def test_each_secret_word_is_seen() -> None:
    unseen = [
        styled
        for key in SECRET_WORDS
        for styled in (key, key.upper(), key.title().replace(" ", ""), key.replace(" ", "_"))
        if JUDGE(styled) is not Rule.SHOW and passes({"name": "b", styled: "c", "d": 1})
    ]
    assert not unseen, unseen


@unhurried
@given(st.one_of(keys, texts))
def test_a_key_that_is_not_simply_shown_has_a_sign(key: str) -> None:
    rule, shown, _ = REDACTOR.data.look_at_key(key)
    if rule is not Rule.SHOW or shown is not None or key.lower() in neighbours.PART_OWNERS:
        beside = {"target": "#password"} if rule is Rule.TYPED else {"b": 1}
        document = orjson.dumps({"a": [{**beside, key: "x"}]})
        assert HAS_KEY_SIGNS(document) or look_at(document) is not Look.NOTHING


def test_common_keys_have_no_sign() -> None:
    names = """id user_id items title name email note description status type created_at updatedAt
    total page per_page next prev cursor data meta links error message detail price quantity tags
    category phone first_name lastName isActive role locale timezone start_date image_url version"""
    assert not HAS_KEY_SIGNS(orjson.dumps(dict.fromkeys(names.split(), "key: token")))


@unhurried
@given(texts)
def test_text_that_a_rule_changes_is_seen(text: str) -> None:
    look = look_at(orjson.dumps({"a": text}))
    if look is Look.NOTHING:
        assert REDACTOR.text(text) == text
        assert not (" " in text and is_prose(text))


@of_each_area("text")
def test_text_within_a_document_comes_out_as_it_does_alone(corpus: list[Case]) -> None:
    def check(case: Case) -> None:
        shown, _ = REDACTOR.data.json(orjson.dumps({"note": case.input}))
        assert orjson.loads(shown) == REDACTOR.data.redact({"note": case.input})

    assert_each(corpus, check)


SIGNED_ONCE = """sent bearer Zq9x2mK4|masterauth Zq9x2mK4
session Zq9x2mK4|the cvc is 482|rootpw Zq9x2mK4|bindpw Zq9x2mK4|psk Zq9x2mK4
das Kennwort ist Zq9x2mK4|a senha é Zq9x2mK4|sign in as bob and Zq9x2mK4|AUTH bob Zq9x2mK4
net use x /user:bob Zq9x2mK4|the pw is Zq9x2mK4|sqlplus scott/Zq9x2mK4|expdp scott/Zq9x2mK4
rman target sys/Zq9x2mK4|bw unlock Zq9x2mK4|net user bob Zq9x2mK4|rabbitmqctl add_user bob Zq9x2mK4
xfreerdp /u:bob /p:Zq9x2mK4|iban DE89 3704 0044|signature Zq9x2mK4|confirm with 482913
my mnemonic is apple bread cat door egg fish goat hat ice jam kite lamp
my recovery phrase is apple bread cat door egg fish goat hat ice jam kite lamp
kata sandi adalah Zq9x2mK4|het wachtwoord is Zq9x2mK4|heslo je Zq9x2mK4|salasana on Zq9x2mK4
adgangskode er Zq9x2mK4|Failing row contains (1, bob, Zq9x2mK4)|ACL SETUSER bob on >Zq9x2mK4
a%3Dpassword%3DZq9x2mK4|パスワード＝Zq9x2mK4|パスワード⇒Zq9x2mK4|['password','Zq9x2mK4']
トークンZq9x2mK4|doğrulama kodu 482913|mã xác nhận 482913|รหัส 482913|/pin/4829|/activate/482913
/pass/4829|/auth/4829|/token/4829|/pwd/4829"""


def test_a_secret_is_seen_where_a_single_word_or_sign_gives_it_away() -> None:
    texts = SIGNED_ONCE.replace("\n", "|").split("|")

    assert [text for text in texts if REDACTOR.text(text) == text] == []
    assert [text for text in texts if passes({"note": text})] == []


@unhurried
@given(documents, st.sampled_from([None, 1]), st.booleans())
def test_documents_come_out_as_if_each_string_had_been_looked_at(
    document: Any, indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    shown, one_line = REDACTOR.data.json(body)
    assert orjson.loads(shown) == REDACTOR.data.redact(orjson.loads(body))
    if one_line:
        assert not set(shown.decode()) & set("\n\r\x7f\x85\u2028\u2029\ufeff")


def test_common_documents_need_no_second_look() -> None:
    documents = [
        {
            "items": [
                {"id": 7, "title": "買い物リスト 35", "note": "for the weekend", "done": False}
            ]
        },
        {"名前": "山田　太郎", "住所": "東京都千代田区1-1", "メモ": "明日は3時に集合！"},
        {"id": "0f1e2d3c-1111-2222-3333-0123456789ab", "created_at": "2026-11-25T10:30:00.123Z"},
        {"author": "A. Christie", "keyboard": "us", "page": 2, "total_pages": 10, "ratio": 0.25},
        [{"tags": ["home", "買い物"], "due_on": "2026-11-25", "email": "a@example.com"}],
    ]
    for document in documents:
        assert REDACTOR.data.json(orjson.dumps(document))[1], document


def test_keys_that_look_like_secret_ones_are_judged_once() -> None:
    judge = KeyJudge()
    redactor = Redactor()
    document = orjson.dumps({"shipping_method": "post", "secretary": "Ann", "sort_order": 1})
    assert judge("secretary") is Rule.SHOW
    assert redactor.data.json(document) == (document, True)
    assert "secretary" in redactor.data.plain_keys


def test_a_whole_memory_of_keys_starts_anew() -> None:
    redactor = Redactor()
    for number in range(6_000):
        redactor.data.json(orjson.dumps({f"pinned_for_a_long_time_{number}": 1}))
    assert len(redactor.data.plain_keys) <= 4096


def test_documents_deeper_than_they_can_be_written_are_cut() -> None:
    depth = 600
    shown, _ = REDACTOR.data.json(b'{"a":' * depth + b'"token=abcdef"' + b"}" * depth)
    assert b"abcdef" not in shown
    assert b"[too deep]" in shown


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_secret_is_seen_wherever_it_stands(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(200):
        objects: list[dict[str, object]] = [
            {"id": draw.randrange(10**9), "title": f"買い物 {draw.randrange(99)}"} for _ in range(8)
        ]
        draw.choice(objects)[draw.choice(["password", "apiKey", "暗証番号"])] = "QXQXQX"
        shown, _ = REDACTOR.data.json(orjson.dumps(objects))
        assert b"QXQXQX" not in shown


def test_random_text_is_looked_at_as_fast_as_any_other() -> None:
    draw = random.Random(1)

    def seconds(alphabet: str) -> float:
        texts = ["".join(draw.choices(alphabet, k=60)) for _ in range(1000)]
        document = orjson.dumps({text[:30]: text[30:] for text in texts})
        started = time.process_time()
        look_at(document)
        REDACTOR.data._has_signs(document)
        return time.process_time() - started

    # A search that has lost its table of states takes a hundred times as long.
    plain = min(seconds("a ") for _ in range(3))
    for alphabet in ("abcdefghijklmnop ", "0123456789 ,", "あいうえおかきくけこ", "a1b2-_ ()."):
        assert min(seconds(alphabet) for _ in range(3)) < 30 * plain + 0.002


@unhurried
@given(st.one_of(keys, texts))
def test_a_key_has_the_rule_that_the_judge_gives_it(key: str) -> None:
    assert REDACTOR.data.look_at_key(key)[0] is JUDGE(key)


@unhurried
@given(documents)
def test_values_come_out_as_if_each_string_had_been_looked_at(data: Plain) -> None:
    assert REDACTOR.data.value(plain(data)) == REDACTOR.data.redact(plain(data))


def test_harmless_values_need_no_second_look() -> None:
    redactor = Redactor()
    data = {f"name_{number}": f"value {number}" for number in range(2000)}
    assert redactor.value(data) == data
    assert not redactor.data.known_keys
