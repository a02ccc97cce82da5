"""The Studio's built files at `/studio/`, and the way there from `/`. Without them, the plain page."""

from __future__ import annotations

import posixpath
from pathlib import Path

from flask import Flask, Response, redirect, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from gateway.page import PAGE, PAGE_HEADERS
from kargah.access.roles import Permission

STUDIO_PUBLIC = {"page": Permission.PUBLIC, "studio": Permission.PUBLIC}
# Everything comes from here; the libraries set styles at run time.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_BUILT = Path(__file__).parent / "studio_files"
_FOR_EVER = "public, max-age=31536000, immutable"


def add_studio(app: Flask, folder: Path | None) -> None:
    """Serve `folder`, by default where `make studio` puts what it builds. Files under `assets/` carry their hash in
    their name, so that browsers keep them for ever; every other address is a page."""
    chosen = folder or _BUILT
    there = chosen if (chosen / "index.html").is_file() else None

    @app.get("/")
    def page() -> AnyResponse:
        if there is not None:
            return redirect("/studio/", code=302)
        return Response(PAGE, content_type="text/html; charset=utf-8", headers=PAGE_HEADERS)

    @app.get("/studio/", defaults={"place": "index.html"})
    @app.get("/studio/<path:place>")
    def studio(place: str) -> AnyResponse:
        if there is None:
            raise NotFound
        return _file(there, place)


def _file(folder: Path, place: str) -> Response:
    place = posixpath.normpath(place)  # `assets/../index.html` is no file under `assets/`
    try:
        answer = send_from_directory(folder, place)
    except NotFound:
        if place.startswith("assets/"):
            raise
        answer = send_from_directory(folder, "index.html")
    answer.headers["cache-control"] = _FOR_EVER if place.startswith("assets/") else "no-cache"
    answer.headers["content-security-policy"] = _POLICY
    return answer
