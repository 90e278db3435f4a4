"""Headers that keep a page to itself: no inline script, no foreign origin, no frame, no cache."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_YEAR_S = 31_536_000


def security_headers(*, tls: bool) -> BeforeMessageSendHookHandler:
    """A `before_send` hook for Litestar: it sees every answer, those of errors and files too."""
    fixed = dict(_HEADERS)
    if tls:
        fixed["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in fixed.items():
            headers.setdefault(name, value)
        # What is shown here changes by the second and is not for a shared machine's disk.
        headers.setdefault("Cache-Control", "no-store")

    return add
