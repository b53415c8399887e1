"""The guard for paths: the PATH cases, MLflow's own, and that nothing it lets pass can leave a root."""

import os
import posixpath
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.artifacts.paths import checked, checked_folder, is_name
from minleaf_server.errors import InvalidParameter

ROOT = "/srv/root"

TRAVERSAL = ["../../etc/passwd", "a/../../x", "./../x", "..", "../", "a/..", "a/../b", "../runB/artifacts/x"]
ABSOLUTE = ["/etc/passwd", "//etc/passwd", "file:///etc/passwd", "file://localhost/etc", "file:/etc", "s3://b/k", "/"]
STORE = ["", ".", "./", "./.", "a/.", "./a", "a//b", "a/", "//"]
PARAMETERS = ["..;/..;/etc/passwd", "a;/../..", "a#/../..", "a?/../..", "#/../../etc", "file://a#/..//tmp"]
CONTROL = ["a\0b", "\0", "a\nb", "a\r\nX-Inj:1", "\x7f", "a\tb", "\x1f"]
WINDOWS = ["..\\..\\x", "C:\\Windows", "C:/x", "c:/x", "\\\\host\\c$", "a\\b", "\\", "C:"]
LONG = ["x" * 256, "x" * 5000, "/".join(["x"] * 2000), "/".join(["x" * 200] * 6), "é" * 128]
TEMPORARY = [".minleaf-tmp", ".minleaf-tmp/x", "a/.minleaf-tmp/x", ".Minleaf-TMP/x"]
ENCODED_AGAIN = ["..%2f..%2fetc", "%2e%2e/%2e%2e/x", "%2fetc%2fpasswd", "..%5c..%5cx", "..%252f..%252fetc", "%2e%2e"]

LEGAL = [
    "a",
    "a/b/c.txt",
    "with space",
    "100%.txt",
    "50%25",
    "été",
    "e\u0301te\u0301",
    "\N{LEAF FLUTTERING IN WIND}",
    "....",
    "...",
    "..a",
    "a..",
    ".hidden",
    "~",
    "a:b",
    "a?b",
    "a#b",
    "C#/Program.cs",
    "a;b",
    "a&b=c",
    'quote"d',
    "<script>",
    "dog%step%100%timestamp%100.png",
    "images/dog+step+20+timestamp+100+id.png",
    "x" * 255,
    "é" * 127,
    "/".join(["x" * 127] * 8),
    "tmp.minleaf-tmp",
]


def refused(path: str) -> bool:
    try:
        assert checked(path) == path
    except InvalidParameter:
        return True
    return False


def test_the_text_is_mlflows() -> None:
    with pytest.raises(InvalidParameter, match=r"\AInvalid path\Z"):
        checked("../x")


@pytest.mark.parametrize(
    "path", [*TRAVERSAL, *ABSOLUTE, *STORE, *PARAMETERS, *CONTROL, *WINDOWS, *LONG, *TEMPORARY, *ENCODED_AGAIN]
)
def test_refused(path: str) -> None:
    assert refused(path)


@pytest.mark.parametrize("path", LEGAL)
def test_legal(path: str) -> None:
    assert checked(path) == path


@pytest.mark.parametrize("layers", range(1, 30))
def test_any_number_of_encodings_of_a_dot_is_refused_or_a_name(layers: int) -> None:
    path = "%" + "25" * layers + "2e%" + "25" * layers + "2e/x"
    assert refused(path)


@pytest.mark.parametrize("raw", [b"%c0%ae%c0%ae/x", b"%ff", b"a%e9", b"%ed%a0%80", b"%f8%88%80%80%ae"])
@pytest.mark.parametrize("errors", ["surrogateescape", "replace"])
def test_bytes_that_are_no_utf8_are_refused_however_they_were_decoded(raw: bytes, errors: str) -> None:
    assert refused(unquote_to_bytes(raw).decode("utf-8", errors))


def test_a_folder_to_list() -> None:
    assert checked_folder("") == ""
    assert checked_folder("a/b/") == "a/b"
    for path in ("/", "a//", "..", "./", "../"):
        with pytest.raises(InvalidParameter, match="Invalid path"):
            checked_folder(path)


# Of the kinds that MLflow tries on Windows: drives with and without a slash, backslashes, both encoded, mixed.
_STEMS = ["path", "path\\", "path\\to\\file", "..\\path", "..\\..\\path", ".\\..\\path", "path\\..\\to\\file"]
_DRIVES = ["", "C:", "C:\\", "C:/", "c:\\", "\\", "\\\\", "\\\\?\\", "\\\\host\\share\\"]
MLFLOW_WINDOWS = [drive + stem for drive in _DRIVES for stem in _STEMS if drive + stem != "path"]
MLFLOW_POSIX = [
    "/path",
    "../path",
    "../../path",
    "./../path",
    "path/../to/file",
    "path/../../to/file",
    "file://a#/..//tmp",
    "file://a%23/..//tmp/",
    "/etc/passwd",
    "/etc/passwd%00.jpg",
    "/etc/passwd%0A.jpg",
    "/file://etc/passwd",
    "..%2fpath",
    "path%2f..%2fto%2ffile",
    "%2E%2E%2Fpath",
    "%252E%252E%252Fpath",
    "%2Fpath",
    "//path",
    "path/..%2f..",
    "file:///path/../../x",
]


@pytest.mark.parametrize("path", MLFLOW_POSIX)
def test_what_mlflow_refuses_everywhere(path: str) -> None:
    assert refused(path)


@pytest.mark.parametrize("path", MLFLOW_WINDOWS)
def test_what_mlflow_refuses_on_windows_is_refused_or_a_name(path: str) -> None:
    for text in (path, path.replace("\\", "%5C"), path.replace("\\", "/")):
        assert refused(text) or stays_below(text)
    assert "\\" not in path or refused(path)


def stays_below(path: str) -> bool:
    joined = posixpath.normpath(posixpath.join(ROOT, path))
    return joined == f"{ROOT}/{path}"


PIECES = st.sampled_from(
    [
        "..",
        ".",
        "/",
        "\\",
        "%2e",
        "%2f",
        "%5c",
        "%25",
        "%00",
        "\0",
        "a",
        "é",
        "#",
        "?",
        ";",
        ":",
        "C:",
        "file:",
        "~",
        " ",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join)))
def test_nothing_that_passes_leaves_the_root(path: str) -> None:
    if refused(path):
        return
    assert stays_below(path)
    assert os.fsencode(path) == path.encode()
    assert "\\" not in path
    assert not any(ord(character) < 32 or ord(character) == 127 for character in path)
    assert all(is_name(segment) for segment in path.split("/"))


@given(st.text(max_size=40))
def test_what_may_be_listed_may_be_opened(name: str) -> None:
    if not refused(name):
        assert is_name(name) == ("/" not in name)
