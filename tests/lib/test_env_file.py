from pathlib import Path

import pytest

from app.lib.env_file import EnvFileError, read_env_file, strip_quotes


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=x", "x"),
        ("NAME=", ""),
        ("NAME=a=b", "a=b"),
        ("  NAME=x", "x"),
        ("NAME= x ", " x "),
        ('NAME="x"', '"x"'),
        ("NAME=a # b", "a # b"),
        ("NAME=$HOME\\n", "$HOME\\n"),
        ("NAME=it's", "it's"),
        ("NAME=値", "値"),
        ("NAME=a\u2028b", "a\u2028b"),
    ],
)
def test_a_value_is_what_docker_would_pass_on(env_file: Path, line: str, value: str) -> None:
    env_file.write_text(f"{line}\n", encoding="utf-8")

    assert read_env_file(env_file) == {"NAME": value}


@pytest.mark.parametrize("line", ["", "   ", "# NAME=x", "  # NAME=x", "NAME", "NAME_2"])
def test_these_lines_give_no_value(env_file: Path, line: str) -> None:
    env_file.write_text(f"{line}\nOTHER=y", encoding="utf-8")

    assert read_env_file(env_file) == {"OTHER": "y"}


def test_windows_line_ends_and_byte_order_mark_are_no_part_of_it(env_file: Path) -> None:
    env_file.write_bytes(b"\xef\xbb\xbfFIRST=1\r\n\r\nSECOND=2\r\n")

    assert read_env_file(env_file) == {"FIRST": "1", "SECOND": "2"}


def test_the_last_line_of_a_name_counts(env_file: Path) -> None:
    env_file.write_text("NAME=1\nNAME=2\n")

    assert read_env_file(env_file) == {"NAME": "2"}


def test_no_file_means_no_values(env_file: Path) -> None:
    assert read_env_file(env_file) == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("export NAME=x", "bad-name"),
        ("NAME = x", "bad-name"),
        ("1NAME=x", "bad-name"),
        ("=x", "no-name"),
        ("NAME: x", "no-equals"),
        ("just some words", "no-equals"),
        ('NAME="x', "open-quote"),
        ('NAME="x" # why', "open-quote"),
        ("NAME='", "open-quote"),
    ],
)
def test_a_malformed_line_is_told_by_its_number(env_file: Path, line: str, problem: str) -> None:
    env_file.write_text(f"# first\nOTHER=1\n{line}\n")

    with pytest.raises(EnvFileError) as caught:
        read_env_file(env_file)

    assert (caught.value.path, caught.value.line, caught.value.problem) == (env_file, 3, problem)


def test_an_error_keeps_nothing_of_the_line(env_file: Path) -> None:
    env_file.write_text("export SECRET_KEY=hush-hush\n")

    with pytest.raises(EnvFileError) as caught:
        read_env_file(env_file)

    assert "hush" not in str(caught.value) + repr(vars(caught.value))


def test_a_file_in_another_encoding_is_refused_as_a_whole(env_file: Path) -> None:
    env_file.write_bytes("NAME=値".encode("shift_jis"))

    with pytest.raises(EnvFileError) as caught:
        read_env_file(env_file)

    assert (caught.value.line, caught.value.problem) == (0, "encoding")


def test_a_folder_in_its_place_is_told_as_one(env_file: Path) -> None:
    env_file.mkdir()

    with pytest.raises(EnvFileError) as caught:
        read_env_file(env_file)

    assert caught.value.problem == "folder"


@pytest.mark.parametrize(
    ("value", "stripped"),
    [
        ('"x"', "x"),
        ("'x'", "x"),
        ('  "x" ', "x"),
        ('""', ""),
        ('"a "b" c"', 'a "b" c'),
        ("\"x'", "\"x'"),
        ('"', '"'),
        ("x", "x"),
        (" x ", "x"),
        ("", ""),
    ],
)
def test_only_an_enclosing_pair_of_quotes_goes(value: str, stripped: str) -> None:
    assert strip_quotes(value) == stripped
