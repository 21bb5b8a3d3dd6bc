"""Bodies as JSON: what is shown, what is hidden, and what happens where one is cut."""

import json
from typing import Any

import pytest

from app.lib.tracelog.capture.bodies import SLACK, body_json
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.redactor import UNREADABLE, Redactor
from tests.lib.tracelog.redaction.corpus import Case, assert_each, leaked, not_shown, of_each_area

REDACTOR = Redactor()


def shown(case: Case, keep: int | None = None) -> str:
    body = case.input.encode(case.charset)
    raw = body_json(
        REDACTOR,
        case.content_type.encode(),
        body if keep is None else body[:keep],
        total=len(body),
        cap=16_384 if keep is None else keep,
        content_encoding=case.content_encoding.encode(),
        html=case.html,
    )
    assert raw is not None
    text = raw.decode()
    assert UNREADABLE not in text
    return text


@of_each_area("body")
def test_corpus(corpus: list[Case]) -> None:
    def check(case: Case) -> None:
        output = shown(case)
        json.loads(output)
        assert leaked(case.secrets, output) == []
        assert not_shown(case.visible, output) == []

    assert_each(corpus, check)


@of_each_area("body", "cuts")
def test_a_cut_at_any_byte_leaks_nothing(corpus: list[Case]) -> None:
    def check(case: Case) -> None:
        size = len(case.input.encode(case.charset))
        for keep in range(size + 1):
            output = shown(case, keep)
            json.loads(output)
            assert leaked(case.secrets, output) == [], f"cut after {keep} of {size} bytes"
            assert len(output.encode()) <= keep + SLACK

    assert_each(corpus, check)


def body(
    content_type: str, data: bytes, *, keep: int | None = None, cap: int = 16_384, **options: Any
) -> str | None:
    kept = data if keep is None else data[:keep]
    raw = body_json(REDACTOR, content_type.encode(), kept, total=len(data), cap=cap, **options)
    return None if raw is None else raw.decode()


def test_an_empty_body_is_none() -> None:
    assert body("application/json", b"") is None
    assert body("", b"") is None


def test_json_comes_out_compact_and_in_its_order() -> None:
    data = b'{ "b" : [ 1 , 2.5 ] , "a" : null , "c" : "\\u3042" }'
    assert body("application/json", data) == '{"b":[1,2.5],"a":null,"c":"\u3042"}'


@pytest.mark.parametrize("raw", [b"\0", b"\x7f", "\x85\u2028\u2029\ufeff".encode()])
def test_what_may_break_a_line_is_escaped(raw: bytes) -> None:
    for content_type, data in (
        ("text/plain", b"a" + raw),
        ("application/json", b'{"a":"' + raw.replace(b"\0", b"\\u0000") + b'"}'),
    ):
        text = body(content_type, data)
        assert text is not None
        assert text.isascii()
        assert text.isprintable()
        shown = json.loads(text)
        assert (shown["a"] if isinstance(shown, dict) else shown[1:]) == raw.decode()


def test_a_lone_surrogate_becomes_visible() -> None:
    assert body("application/json", b'{"a":"\\ud800"}') == r'{"a":"\\ud800"}'


def test_cut_json_keeps_what_was_completely_read() -> None:
    data = b'{"a":1,"b":{"c":[1,2,{"d":"x"},"unfinished"],"e":5},"password":"secret"}'
    shown = [body("application/json", data, keep=keep) for keep in range(len(data))]
    assert shown[0] == f'{{":cut":{len(data)}}}'
    assert shown[5] == f'{{":cut":{len(data)}}}', "the number may go on"
    assert shown[8] == f'{{"a":1,":cut":{len(data)}}}'
    assert shown[33] == f'{{"a":1,"b":{{"c":[1,2,{{"d":"x"}}]}},":cut":{len(data)}}}'
    assert (
        shown[54]
        == f'{{"a":1,"b":{{"c":[1,2,{{"d":"x"}},"unfinished"],"e":5}},":cut":{len(data)}}}'
    )
    assert shown[-1] == shown[54]


def test_a_cut_array_says_so_at_its_end() -> None:
    assert body("application/json", b"[1,2,3,4,5]", keep=6) == '[1,2,{":cut":11}]'


def test_the_value_of_an_object_that_is_cut_before_its_name_is_hidden() -> None:
    data = b'[{"value":"x","title":"t","name":"password"},{"value":"y","name":"n"}]'
    assert body("application/json", data, keep=30) == (
        '[{"value":"[redacted]","title":"t"},{":cut":70}]'
    )
    assert body("application/json", data) == (
        '[{"value":"[redacted]","title":"t","name":"password"},{"value":"y","name":"n"}]'
    )


def test_a_key_that_comes_twice_does_not_deceive_the_reading_of_cut_json() -> None:
    data = b'{"a":{"x":1},"b":{"y":2},"a":{"value":"secret","n":1,"name":"password"}}'
    for keep in range(len(data)):
        assert "secret" not in str(body("application/json", data, keep=keep))


def test_of_a_key_that_comes_twice_the_last_is_shown_as_in_whole_json() -> None:
    data = b'{"a":1,"a":2,"b":[{"c":3},{"d":4}]}'
    assert body("application/json", data, keep=27) == '{"a":2,"b":[{"c":3},{}],":cut":35}'
    assert body("application/json", data[:26] + b"]}") == ('{"a":2,"b":[{"c":3}],":unreadable":28}')


def test_json_that_is_not_json_shows_what_was_before_the_mistake() -> None:
    assert body("application/json", b'{"a":1,"b":2,}') == '{"a":1,"b":2,":unreadable":14}'
    assert body("application/json", b"password=x") == '{":unreadable":10}'


def test_a_form_becomes_an_object_with_lists_where_fields_repeat() -> None:
    data = b"a=1&b=x+y%21&&a=2&c=&d&"
    assert body("application/x-www-form-urlencoded", data) == (
        '{"a":["1","2"],"b":"x y!","c":"","d":""}'
    )


def test_the_last_field_of_a_cut_form_is_left_out() -> None:
    data = b"a=1&b=2&c=3"
    assert body("application/x-www-form-urlencoded", data, keep=9) == '{"a":"1","b":"2",":cut":11}'


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nmilk\r\n'
    b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\0\0\r\n--x--\r\n"
)


def test_of_very_many_fields_of_a_form_the_first_are_shown_and_the_number_told() -> None:
    data = b"&".join(b"n%d=1" % number for number in range(1001))

    fields = json.loads(body("application/x-www-form-urlencoded", data) or "")

    assert (len(fields), fields[":cut"]) == (1001, 1001)


FIELD = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n'


def test_the_value_of_a_form_that_is_cut_before_its_name_is_hidden() -> None:
    pairs = b"value=hunter2!&page=1&name=password"
    parts = FIELD % (b"value", b"", b"hunter2!") + FIELD % (b"page", b"", b"1")
    end = FIELD % (b"name", b"", b"password") + b"--b--"

    for content_type, data, keep in (
        ("application/x-www-form-urlencoded", pairs, len(pairs) - 1),
        ("multipart/form-data; boundary=b", parts + end, len(parts) + 5),
    ):
        shown = json.loads(body(content_type, data, keep=keep) or "")
        assert (shown["value"], shown["page"]) == (MARKER, "1")


def form(*fields: tuple[bytes, bytes, bytes]) -> object:
    data = b"".join(FIELD % field for field in fields) + b"--b--"
    return json.loads(body("multipart/form-data; boundary=b", data) or "")


def test_a_field_of_text_is_shown_however_its_type_is_written() -> None:
    head = b"Content-Type: Text/Plain ; charset=utf-8\r\nContent-Transfer-Encoding: 8Bit\r\n"
    assert form((b"title", head, b"milk")) == {"title": "milk"}


def test_what_nobody_can_read_of_a_field_is_not_shown() -> None:
    assert form((b"\xff", b"", b"hunter2!"), (b"%FF", b"", b"hunter2!")) == {
        "\ufffd": MARKER,
        "%FF": MARKER,
    }
    assert form((b"note", b"", b"\xff\xfe\xfd")) == {"note": {":size": 3}}


def test_multipart_shows_fields_and_describes_files() -> None:
    assert body("multipart/form-data; boundary=x", MULTIPART) == (
        '{"title":"milk","photo":{":file":"a.png",":type":"image/png",":size":8}}'
    )


@pytest.mark.parametrize(
    "written", ['{"id":%s}', '{ "id" : %s }', '{"id":%s,"password":"hunter2!"}']
)
def test_an_integer_of_more_than_64_bits_keeps_its_digits(written: str) -> None:
    digits = "12345678901234567890123"

    output = body("application/json", (written % digits).encode())

    assert json.loads(output or "")["id"] == digits
    largest = body("application/json", (written % (2**64 - 1)).encode())
    assert json.loads(largest or "")["id"] == 2**64 - 1


def test_of_very_many_parts_the_first_are_shown_and_the_number_told() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\n1\r\n'
    data = b"".join(part % number for number in range(1001)) + b"--b--"

    fields = json.loads(body("multipart/form-data; boundary=b", data, cap=1_000_000) or "")

    assert len(fields) == 1001
    assert fields[":cut"] == 1001


@pytest.mark.parametrize(
    ("encoding", "filename"),
    [
        ("utf-8", 'filename="表.png"'),
        ("cp932", 'filename="表.png"'),
        ("ascii", "filename*=UTF-8''%E8%A1%A8.png"),
        ("ascii", "filename*=Shift_JIS''%95%5C.png"),
    ],
)
def test_japanese_names_in_multipart_are_read_whatever_the_page_was_written_in(
    encoding: str, filename: str
) -> None:
    name = "絵" if encoding != "ascii" else "picture"
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"; {filename}\r\n\r\nx\r\n--b--'
    shown = json.loads(body("multipart/form-data; boundary=b", part.encode(encoding)) or "")
    assert shown == {name: {":file": "表.png", ":size": 1}}


def test_multipart_that_is_cut_within_a_file_or_a_field_says_so() -> None:
    assert body("multipart/form-data; boundary=x", MULTIPART, keep=len(MULTIPART) - 9) == (
        '{"title":"milk","photo":{":file":"a.png",":type":"image/png",":cut":true},":cut":172}'
    )
    assert body("multipart/form-data; boundary=x", MULTIPART, keep=54) == (
        '{"title":{":cut":true},":cut":172}'
    )


def test_text_is_a_string_and_cut_text_an_object() -> None:
    assert body("text/plain", b"Hello Bob") == '"Hello Bob"'
    assert body("text/plain", b"Hello Bob, how are you?", keep=15) == (
        '{":text":"Hello Bob, how",":cut":23}'
    )


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-32", "utf-32"),
        ("UTF-32BE", "utf-32-be"),
        ("x-sjis", "cp932"),
        ("cp932", "cp932"),
        ("csShiftJIS", "cp932"),
        ("MS_Kanji", "cp932"),
        ("x-euc-jp", "euc_jp"),
        ("utf8", "utf-8"),
    ],
)
def test_text_is_read_by_the_charset_that_is_said(charset: str, codec: str) -> None:
    data = "表 password=hunter2".encode(codec)
    assert body(f"text/plain; charset={charset}", data) == '"表 password=[redacted]"'
    data = '{"表":1}'.encode(codec)
    assert body(f"application/json; charset={charset}", data) == '{"表":1}'


@pytest.mark.parametrize("codec", ["utf-16", "utf-32"])
def test_text_whose_first_character_tells_its_encoding_is_read_by_that(codec: str) -> None:
    data = "表 password=hunter2".encode(codec)
    assert body("text/plain", data) == '"表 password=[redacted]"'
    assert body("text/plain; charset=utf-8", data) == '"表 password=[redacted]"'
    cut = body("text/plain", data, keep=len(data) - 15)
    assert cut == f'{{":text":"表",":cut":{len(data)}}}'


def test_text_in_a_charset_that_nobody_knows_is_type_and_size() -> None:
    data = b"password+AD0-hunter2"
    assert body("text/plain; charset=utf-7", data) == '{":type":"text/plain",":size":20}'
    # JSON is in UTF-8 whatever is said (RFC 8259, 8.1).
    assert body("application/json; charset=x-unknown", b'{"a":1}') == '{"a":1}'


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_secret_does_not_hide_between_zeros(codec: str) -> None:
    shown = body("text/plain", "note: password=hunter2".encode(codec))
    assert shown == '"note: password=[redacted]"'


def test_of_very_many_lines_the_first_are_shown_and_the_size_told() -> None:
    data = b'{"a":1}\n' * 1001
    shown = json.loads(body("application/x-ndjson", data) or "")
    assert shown == [{"a": 1}] * 1000 + [{":cut": len(data)}]


def test_of_very_many_lines_that_are_no_json_the_later_ones_are_not_looked_into() -> None:
    data = b'{"a":1,"b\n' * 200 + b'{"a":NaN}\n{"password":"x"}'
    shown = json.loads(body("application/x-ndjson", data) or "")
    assert shown[0] == {"a": 1, ":unreadable": 9}
    assert shown[199] == {":unreadable": 9}
    assert shown[200:] == [{"a": "nan"}, {"password": "[redacted]"}]


def test_other_things_are_type_and_size() -> None:
    assert body("image/png", b"x" * 9) == '{":type":"image/png",":size":9}'
    assert body("text/html", b"<p>") == '{":type":"text/html",":size":3}'
    assert body("", b"x") == '{":type":"",":size":1}'
    assert body("application/json", b"\x1f\x8b", content_encoding=b"gzip") == (
        '{":type":"application/json",":size":2,":encoding":"gzip"}'
    )


def test_the_size_of_the_whole_is_told_when_only_its_beginning_is_there() -> None:
    assert body("image/png", b"x" * 100_000, keep=10) == '{":type":"image/png",":size":100000}'


def test_html_is_shown_on_demand() -> None:
    assert body("text/html", b"<b>Hi</b>", html=True) == '"<b>Hi</b>"'


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/json", b"{" + b",".join(b'"a%d_pin":1' % n for n in range(1200)) + b"}"),
        ("application/json", b"[" + b'{"pin":1},' * 1500 + b"0]"),
        ("application/json", b'"' + b"\x7f" * 16_000 + b'"'),
        ("application/x-www-form-urlencoded", b"&".join(b"%d" % n for n in range(2500))),
        ("application/x-www-form-urlencoded", b"a&" * 8000),
        ("text/plain", b"\0" * 16_000),
        ("text/plain", "\u2028".encode() * 5000),
        ("text/plain", b"\0 " * 10_000),
        ("text/plain", b"pin=1 " * 2700),
        ("application/x-ndjson", b'{"pin":1}\n' * 1600),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition:;name=\r\n\r\n\r\n" * 395),
    ],
)  # fmt: skip
def test_the_json_is_hardly_longer_than_the_cap(content_type: str, data: bytes) -> None:
    text = body(content_type, data, keep=16_384)
    assert text is not None
    assert json.loads(text)
    assert 1000 < len(text.encode()) <= 16_384 + SLACK


def test_a_body_longer_than_the_cap_is_treated_as_cut() -> None:
    assert body("application/json", b'{"a":1,"b":2}', cap=8) == '{"a":1,":cut":13}'
    assert body("application/json", b'{"a":1}', cap=0) == '{":cut":7}'


def test_what_makes_a_rule_fail_is_unreadable() -> None:
    redactor = Redactor()
    redactor.texts = redactor.data.text = None  # type: ignore[assignment]
    text = body_json(redactor, b"", b'{"a":1}', total=7, cap=100)
    assert text == b'{":unreadable":7}'
    assert redactor.text("token=abc") == UNREADABLE
    assert redactor.value({"token": "abc"}) == UNREADABLE
