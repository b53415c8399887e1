"""What a download is called on the wire: its media type and its Content-Disposition."""

import re
from mimetypes import MimeTypes
from urllib.parse import quote

OCTETS = "application/octet-stream"
TEXT = "text/plain"

# MLflow's list, and what the types below would not make plain text of.
_TEXT = re.compile(
    "txt|log|err|cfg|conf|cnf|cf|ini|properties|prop|hocon|toml|yaml|yml|xml|json|js|py|py3|csv|tsv|md|rst|ipynb|"
    "mlmodel|mlproject|xhtml|xht|xslt|mjs|hta"
)
# Of this version of Python alone. With the files of the machine, another one would answer with other types.
_KNOWN = MimeTypes()
_KNOWN.add_type("image/webp", ".webp")  # Which Python itself knows from 3.13 on.
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$&()*+,-./:;<=>?@[]^_`{|}~'")


def media_type(name: str) -> str:
    """The Content-Type of a file of this name; the bytes are not looked at.

    Whatever is some kind of text, pages and scripts included, is plain text. SVG stays an image, which runs no script.
    """
    extension = name.rpartition(".")[2].lower()  # The whole name where it has none, as for MLmodel.
    if _TEXT.fullmatch(extension):
        return TEXT
    # In front of a name that looks like an address (`data:text/html,x`), the dot keeps it a name.
    kind, compression = _KNOWN.guess_type(f"./{name}")
    if compression is not None:
        return _COMPRESSED.get(compression, OCTETS)
    if kind is None:
        return OCTETS
    runs = kind.startswith("text/") or (kind.endswith("xml") and kind != "image/svg+xml")
    return TEXT if runs else kind


def disposition(name: str) -> str:
    """The Content-Disposition that makes a browser save a file under its name (RFC 6266), in ASCII."""
    plain = "".join(sign if sign in _PLAIN or sign == "%" else "\\" + sign if sign in '"\\' else "_" for sign in name)
    text = f'attachment; filename="{plain}"'
    if all(sign in _PLAIN for sign in name):
        return text
    return f"{text}; filename*=UTF-8''{quote(name, safe='')}"
