"""Files that browsers fetch: compressed once, told apart by their content, allowed on every site. Nothing is computed."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

CACHE = "public, max-age=300"
MEDIA_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    gzipped: bytes | None
    etag: str
    media_type: str


def load(paths: Iterable[Path]) -> dict[str, StaticFile]:
    """Every file of a known kind, by its name."""
    return {path.name: _load(path) for path in paths if path.is_file() and path.suffix in MEDIA_TYPES}


def respond(request: Request, file: StaticFile) -> Response:
    """The file, or 304 where the client has it already (RFC 9110 section 13.1.2)."""
    headers = {
        "ETag": f"W/{file.etag}",  # weak: the same file compressed is another sequence of bytes
        "Cache-Control": CACHE,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if file.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if file.gzipped is not None and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(file.gzipped, headers=headers, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


def accepts_gzip(request: Request) -> bool:
    offers = [part.strip().lower() for part in request.headers.get("accept-encoding", "").split(",")]
    return any(offer.partition(";")[0] in ("gzip", "*") and not offer.endswith("q=0") for offer in offers)


def _load(path: Path) -> StaticFile:
    content = path.read_bytes()
    gzipped = gzip.compress(content, 9, mtime=0)
    return StaticFile(
        content,
        gzipped if len(gzipped) < len(content) else None,
        f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        MEDIA_TYPES[path.suffix],
    )
