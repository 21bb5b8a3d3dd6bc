"""Random data with planted secrets: none leaks, wherever it is cut, and the rest stays readable."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from app.lib.tracelog.capture.bodies import SLACK, body_json
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.redactor import UNREADABLE, Redactor

REDACTOR = Redactor()
unhurried = settings(deadline=None)

SECRET_ALPHABET = "QXZJKVWQ0123456789"
SECRET_KEYS = [
    "password", "new_password", "accessToken", "refresh_token", "client_secret", "X-Api-Key",
    "private_key", "session_id", "cvv", "pin", "otp", "cookie", "Authorization", "credentials",
    "csrf_token", "パスワード", "暗証番号", "card_number", "user[password]", "db.password",
]  # fmt: skip
INNOCENT_KEYS = [
    "author", "authors", "secretary", "monkey", "keyboard", "tokenizer_name", "pinned", "shipping",
    "session_count", "title", "due_on", "items", "sort_key", "題名", "著者", "zip_code",
]  # fmt: skip

secrets = st.text(SECRET_ALPHABET, min_size=8, max_size=24).map(lambda text: f"QX{text}")
awkward = st.text('QXZ01"\\\n/,;:}]{[é🔑 ', max_size=8)
awkward_secrets = st.builds(lambda a, b, c: a + b + c, secrets, awkward, secrets)
words = st.text("abcdefghij ", max_size=12)
innocent_scalars = st.one_of(
    words, st.integers(-1000, 1000), st.booleans(), st.none(), st.sampled_from(["牛乳", "é", "\n"])
)
secret_values = st.recursive(
    st.one_of(awkward_secrets, st.integers(10**6, 10**9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(INNOCENT_KEYS), inner)
    ),
    max_leaves=4,
)
innocent_data = st.recursive(
    innocent_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(INNOCENT_KEYS), inner, max_size=4),
    ),
    max_leaves=12,
)
planted = st.recursive(
    innocent_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(INNOCENT_KEYS), inner, max_size=3),
        st.builds(
            lambda before, key, secret, after: {**before, key: secret, **after},
            st.dictionaries(st.sampled_from(INNOCENT_KEYS), inner, max_size=2),
            st.sampled_from(SECRET_KEYS),
            secret_values,
            st.dictionaries(st.sampled_from(INNOCENT_KEYS), inner, max_size=2),
        ),
        st.builds(lambda data: json.dumps(data), inner),
    ),
    max_leaves=12,
)


def body(data: bytes, content_type: str = "application/json", keep: int | None = None) -> str:
    keep = len(data) if keep is None else keep
    text = body_json(
        REDACTOR, content_type.encode(), data[:keep], total=len(data), cap=max(keep, 16_384)
    )
    return "null" if text is None else text.decode()


def holds_secret(text: str) -> bool:
    """Whether a run of three characters stands in text that only secrets are made of."""
    return any(set(text[at : at + 3]) <= set("QXZJKVW") for at in range(len(text) - 2)) or (
        "QX" in text
    )


def strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [*node, *(text for item in node.values() for text in strings(item))]
    if isinstance(node, list):
        return [text for item in node for text in strings(item)]
    return [node] if isinstance(node, str) else []


@unhurried
@given(planted, st.booleans(), st.sampled_from([None, 1]))
def test_json_leaks_nothing_at_whatever_byte_it_is_cut(
    data: Any, ascii_only: bool, indent: int | None
) -> None:
    whole = json.dumps(data, ensure_ascii=ascii_only, indent=indent).encode()
    for keep in range(1, len(whole) + 1):
        raw = body_json(REDACTOR, b"application/json", whole[:keep], total=len(whole), cap=keep)
        assert raw is not None
        shown = raw.decode()
        parsed = json.loads(shown)
        assert ":unreadable" not in shown
        assert not holds_secret(shown), f"cut after {keep} of {len(whole)} bytes"
        assert not any(map(holds_secret, strings(parsed)))
        assert len(shown.encode()) <= keep + SLACK


@unhurried
@given(planted)
def test_values_leak_nothing(data: Any) -> None:
    assert not holds_secret(json.dumps(REDACTOR.value(data)))


@unhurried
@given(planted)
def test_redacting_twice_changes_nothing(data: Any) -> None:
    once = REDACTOR.value(data)
    assert REDACTOR.value(once) == once
    shown = body(json.dumps(data).encode())
    assert body(shown.encode()) == shown


@unhurried
@given(innocent_data)
def test_innocent_data_stays_as_it_is(data: Any) -> None:
    assert REDACTOR.value(data) == data
    assert json.loads(body(json.dumps(data).encode())) == data


@unhurried
@given(
    st.dictionaries(st.sampled_from(INNOCENT_KEYS), words, max_size=3),
    st.sampled_from(SECRET_KEYS),
    awkward_secrets,
    st.dictionaries(st.sampled_from(INNOCENT_KEYS), words, max_size=3),
)
def test_forms_and_queries_leak_nothing(
    before: dict[str, str], key: str, secret: str, after: dict[str, str]
) -> None:
    form = urlencode([*before.items(), (key, secret), *after.items()]).encode()
    assert not holds_secret(REDACTOR.query(form))
    for keep in range(len(form) + 1):
        assert not holds_secret(body(form, "application/x-www-form-urlencoded", keep))


@unhurried
@given(
    words,
    st.sampled_from([key for key in SECRET_KEYS if key.isascii()]),
    awkward_secrets,
    st.sampled_from(['{{"{key}": {json}, "n": 1}}', "{{'{key}': {repr}, 'n': 1}}", "{key}={json} x",
                     "f({key}={repr}, n=1)", '{key}: {json} x', "{key} => {repr}, n"]),
    words,
)  # fmt: skip
def test_quoted_values_in_text_leak_nothing(
    before: str, key: str, secret: str, template: str, after: str
) -> None:
    pair = template.format(key=key, json=json.dumps(secret), repr=repr(secret))
    shown = REDACTOR.text(f"{before} {pair} {after}")
    assert not holds_secret(shown)
    assert MARKER in shown
    nested = REDACTOR.text(f"{before} {json.dumps(pair)} {after}")
    assert not holds_secret(nested)


text_pieces = st.sampled_from(
    ["password", "token", "key", "author", "=", ":", " ", "\n", '"', "'", "\\", "{", "}", "[", "]",
     "(", ")", ",", ";", "&", "?", "//", "@", "%3D", "%22", "Bearer", "x", "hunter2", "-", "--",
     "<", ">", "</", "input", "value", "「", "」", "：", "パスワード", MARKER, "4111111111111111",
     "eyJhbGciOiJIUzI1NiJ9", "-----BEGIN PRIVATE KEY-----", "https://", "|", "\0", "\ud800"]
)  # fmt: skip


@unhurried
@given(st.lists(text_pieces, max_size=30).map("".join))
def test_any_text_is_redacted_once_for_all(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
    once.encode()
    shown = [once, REDACTOR.path(text), REDACTOR.query(text.encode(errors="replace"))]
    shown.append(str(REDACTOR.headers([(b"x-a", text.encode(errors="replace"))])))
    assert not any(UNREADABLE in output for output in shown)


content_types = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"application/json", b"application/x-www-form-urlencoded", b"text/plain", b"text/html",
         b"multipart/form-data; boundary=x", b"application/x-ndjson", b"", b"text/plain; charset=x"]
    ),
)  # fmt: skip


@unhurried
@given(
    content_types,
    st.one_of(st.binary(max_size=200), st.lists(text_pieces).map(
        lambda pieces: "".join(pieces).encode(errors="replace")
    )),
    st.integers(0, 300),
    st.integers(0, 300),
    st.booleans(),
)  # fmt: skip
def test_any_body_becomes_valid_bounded_json(
    content_type: bytes, data: bytes, more: int, cap: int, html: bool
) -> None:
    total = len(data) + more
    raw = body_json(REDACTOR, content_type, data, total=total, cap=cap, html=html)
    if total == 0:
        assert raw is None
        return
    assert raw is not None
    shown = raw.decode()
    json.loads(shown)
    assert UNREADABLE not in shown
    assert len(shown.encode()) <= cap + SLACK
    assert not set(shown) & set("\n\r\0\x7f\x85\u2028\u2029")


python_objects = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates(),
        st.datetimes(), st.times(), st.timedeltas(), st.decimals(), st.fractions(), st.uuids(),
        st.ip_addresses(), st.just(object()), st.just(iter("x")), st.just(len),
        st.complex_numbers(), st.just(ValueError("password=QXQXQX")),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.frozensets(st.integers()),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.binary(), st.none()), inner),
    ),
)  # fmt: skip


@unhurried
@given(python_objects)
def test_any_object_becomes_json(value: Any) -> None:
    shown = json.dumps(REDACTOR.value(value), allow_nan=False)
    assert UNREADABLE not in shown
    assert "QXQXQX" not in shown
