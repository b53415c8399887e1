"""Rendering: one Jinja environment, one frame around every page, one frozen dataclass per template."""

import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.db.store import Store
from minleaf_server.resources import folder
from minleaf_server.ui.links import Links

if TYPE_CHECKING:
    from jinja2 import Environment

THEME_COOKIE = "minleaf_theme"
THEMES = ("light", "dark")
_VERSIONED = ("app.css", "vendor/app.css", "vendor/app.js")


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the breadcrumb; `url` is "" for the page itself."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """What the frame around every page needs. `theme` is "" where the system decides. `fits` pages fill the window."""

    title: str
    links: Links
    crumbs: tuple[Crumb, ...] = ()
    theme: str = ""
    search: str = ""
    fits: bool = False


@lru_cache
def environment() -> "Environment":
    """The templates. Everything is escaped, and a name that a template uses but nobody gave is an error."""
    # Only pages need it, and not before the first is asked for.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@lru_cache
def static_version() -> str:
    """A short text that changes whenever a style sheet or script does, so that browsers may keep them for ever."""
    digest = hashlib.blake2b(digest_size=6)
    for path in _VERSIONED:
        file = folder("static") / path
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def links_of(request: Request) -> Links:
    """Links below the prefix that this request came in with."""
    return Links(request.scope.get("root_path", "").rstrip("/"), static_version())


def store_of(request: Request) -> Store:
    """The store that the pages read."""
    return cast(Store, request.app.state.services.store)


def now_ms() -> int:
    """The time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def server_address(request: Request) -> str:
    """The address under which the visitor reaches this server, as a client would be given it. The gate checked Host."""
    return f"{request.url.scheme}://{request.url.netloc}{links_of(request).prefix}"


def render(
    request: Request,
    template: str,
    page: object,
    *,
    title: str,
    crumbs: tuple[Crumb, ...] = (),
    search: str = "",
    fits: bool = False,
    status: int = 200,
) -> Response:
    """An HTML answer of `template`, which sees `shell` and `page` and nothing else."""
    theme = request.cookies.get(THEME_COOKIE, "")
    shell = Shell(title, links_of(request), crumbs, theme if theme in THEMES else "", search, fits)
    html = environment().get_template(template).render(shell=shell, page=page)
    headers = {"cache-control": "no-cache", "vary": "cookie"}
    # A lone surrogate cannot be written as UTF-8; it is shown as a question mark.
    body = html.encode("utf-8", "replace")
    return Response(body, status, headers, media_type="text/html")
