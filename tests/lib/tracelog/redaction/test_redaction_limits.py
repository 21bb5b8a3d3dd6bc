"""What hostile input costs: time grows no faster than its size, and memory stays bounded."""

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from app.lib.tracelog.redaction.plain import MAX_COST
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.redaction.text.redactor import MAX_TEXT

REDACTOR = Redactor()


class TestMemory:
    def test_hostile_names_and_values_do_not_fill_the_memory(self) -> None:
        redactor = Redactor()
        for number in range(20_000):
            redactor.headers([(f"x-{number}".encode(), b"a"), (b"x-b", f"{number} x".encode())])
        assert len(redactor._names) <= 512
        assert sum(len(values) for _, values in redactor._names.values()) <= 512 * 32

    def test_a_cycle_ends_at_the_name_of_its_type(self) -> None:
        given: dict[str, object] = {"a": 1}
        given["self"] = given
        given["list"] = [given]
        assert REDACTOR.value(given) == {"a": 1, "self": "dict", "list": ["dict"]}

    def test_the_same_object_twice_is_no_cycle(self) -> None:
        inner = {"a": 1}
        assert REDACTOR.value([inner, inner]) == [inner, inner]

    def test_depth_is_bounded(self) -> None:
        given: object = "token=abc"
        for _ in range(5000):
            given = [given]
        assert "abc" not in str(REDACTOR.value(given))

    def test_size_is_bounded(self) -> None:
        shown = REDACTOR.value({"numbers": range(3), "list": list(range(10 * MAX_COST))})
        assert isinstance(shown, dict)
        assert isinstance(shown["list"], list)
        assert len(shown["list"]) <= MAX_COST
        assert shown["list"][-1] == {":cut": 10 * MAX_COST}
        texts = REDACTOR.value(["x y" * 1000] * 10_000)
        assert len(str(texts)) < 5_000_000

    def test_a_long_text_is_cut_and_says_so(self) -> None:
        shown = REDACTOR.value({"a": "word " * MAX_TEXT})
        assert isinstance(shown, dict)
        assert str(shown["a"]).endswith(f"[cut: {5 * MAX_TEXT} characters]")
        assert len(str(shown["a"])) < MAX_TEXT + 100

    def test_hostile_keys_and_texts_do_not_fill_the_memory(self) -> None:
        redactor = Redactor()
        for number in range(5_000):
            redactor.value({f"key{number}": f"text {number}"})
            redactor.value({f"key{number}" * 20: f"text {number}" * 20})
        memories = (redactor.judge._known, redactor.data.known_keys, redactor.data.harmless)
        for memory in memories:
            assert len(memory) <= 4096
            assert max(map(len, memory)) <= 128


HOSTILE = {
    "one letter": "a",
    "equals signs": "=",
    "colons": ":",
    "pairs": "a=",
    "secret pairs": "token=",
    "quotes": '"',
    "secret quotes": "token='",
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "open brackets": "token={",
    "closed brackets": "token=}",
    "tags": "<a ",
    "quoted tags": "<a '\"",
    "inputs": "<input name=pin value='",
    "digits": "4 ",
    "card digits": "4111-",
    "JWT heads": "eyJ",
    "JWT dots": "eyJaaaaaaaaaaaaaaa.",
    "URLs": "https://a:",
    "user infos": "https://a@",
    "percents": "%253D",
    "bearers": "bearer ",
    "flags": " --token",
    "dots": "a.",
    "YAML": "token:\n  ",
    "blanks": "token: ",
    "nested lists": "[",
    "nested JSON": '{"a":',
    "JSON in text": 'x {"a":1}',
    "open JSON in text": 'x {"a" ',
    "dicts in text": "x {'a': (",
    "paths": "/reset/a1",
    "hosts": "a.b",
    "announced": "this new password ",
    "asked codes": "enter the code ",
    "secrets in YAML": "secrets:\n - a\n",
    "signed hooks": "signature=v1=",
    "SQL of tokens": "from token where a='",
    "Japanese quotes": "パスワードは「",
    "PEM heads": "-----BEGIN PRIVATE KEY-----",
    "PEM public heads": "-----BEGIN PUBLIC KEY-----",
    "commas": "token=a,",
    "tuples": "('token','",
    "inserts": "insert into a (b) values ('",
    "stated": "password '",
    "hashes": "$2b$a,a=",
    "encoded quotes": "token&quot;=&quot;",
    "surrogates": "\ud800=",
    "fallbacks": "token = a || 'b' || ",
    "short names": "u: a / p: ",
    "attempts": "login attempt a:",
    "lists of words": "['curl', '-u', '",
    "manifests": "kind: Secret\ndata:\n a: b\n",
    "comparisons": "'abcd' == a",
    "door codes": "オートロックの番号",
    "signatures": "<SignatureValue>a",
    "remote desktops": "/u:a /p:",
    "lines of code": "token = self.a",
    "calls": "token = a(b, ",
    "entries": "Duplicate entry 'a",
    "undecided values": "session=",
    "undecided brackets": "session={",
    "undecided quotes": "session=「",
    "calls of undecided": "salt=a(",
    "groups of digits": "4242.4242.",
}


class TestHostileText:
    @pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
    def test_time_grows_no_faster_than_the_text(self, piece: str) -> None:
        redactor = Redactor(extra_patterns=["never seen"])

        def seconds(size: int) -> float:
            text = (piece * size)[:size]
            started = time.thread_time()
            redactor.texts.cut(text)
            return time.thread_time() - started

        small = min(seconds(2_500) for _ in range(3))
        # Quadratic time would be 400 times as long; 120 leaves room for a busy machine.
        assert any(seconds(50_000) < 120 * small + 0.025 for _ in range(2))

    def test_a_megabyte_of_each_is_done_before_the_deadline(self) -> None:
        program = textwrap.dedent(
            """
            import functools, json, sys
            from app.lib.tracelog.capture.bodies import body_json
            from app.lib.tracelog.redaction.redactor import Redactor
            redactor = Redactor()
            # Each way ends at the same beginning of the text.
            redactor.texts.cut = functools.lru_cache(8)(redactor.texts.cut)
            for piece in json.loads(sys.argv[1]):
                text = (piece * 1_000_000)[:1_000_000]
                raw = text.encode("utf-8", "replace")
                redactor.text(text)
                redactor.path(text)
                redactor.query(raw)
                redactor.value({text: 1})
                redactor.headers([(raw, raw), (b"cookie", raw), (b"x-a", raw)])
                for kind in (b"application/json", b"text/plain", b"multipart/form-data; boundary=a",
                             b"application/x-www-form-urlencoded", b"application/x-ndjson"):
                    body_json(redactor, kind, raw[:16384], total=len(raw), cap=16384)
            print("done")
            """
        )
        result = subprocess.run(
            [sys.executable, "-c", program, json.dumps(list(HOSTILE.values()))],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
            cwd=Path(__file__).parents[4],
        )
        assert result.stdout == "done\n"
