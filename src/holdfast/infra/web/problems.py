"""Errors as RFC 9457 problem details, for every way in which a request can fail.

`type` is `urn:holdfast:problem:CODE`; `code` repeats it for programs that want no URN. A person in
a browser gets the role's error page instead, with the same status.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from holdfast.core.faults import (
    ChainFault,
    Fault,
    MalformedFault,
    SignatureFault,
    TooLargeFault,
)
from holdfast.core.sync.messages import Problem

PROBLEM_TYPE = "urn:holdfast:problem:"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
_DETAIL_CHARS_MAX = 2_000

AnyRequest = Request[Any, Any, Any]
ErrorPage = Callable[[AnyRequest, Problem], Response[Any] | None]
"""Renders a problem for a person; None where this request is not a person's."""

_CODES = {
    400: "request.malformed",
    401: "session.missing",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "request.too-large",
    415: "request.media-type",
    429: "too-many-requests",
    503: "unavailable",
}
_FAULT_STATUS: tuple[tuple[type[Fault], int], ...] = (
    (TooLargeFault, 413),
    (MalformedFault, 400),
    (SignatureFault, 403),
    (ChainFault, 400),
)
_IN_A_BODY = "while deserializing an object"
"""As msgspec says it; its other words on a body the framework takes for the sender's fault by itself."""
_log = structlog.get_logger(__name__)


class HttpProblem(HTTPException):
    """Raise in a handler to answer with a problem that has a code of its own."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after_s: int = 0) -> None:
        super().__init__(detail=detail, status_code=status)
        self.code = code
        self.headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}


def problem_of(status: int, code: str, detail: str) -> Problem:
    """The problem with the standard's own title for its status."""
    return Problem(
        type=PROBLEM_TYPE + code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail[:_DETAIL_CHARS_MAX],
        code=code,
    )


def problem_response(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response[Problem]:
    """The answer of a program's request that failed."""
    return Response(
        problem_of(status, code, detail),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def exception_handlers(error_page: ErrorPage | None = None) -> ExceptionHandlersMap:
    """For `Litestar(exception_handlers=…)`: nothing leaves a role that is not a problem or a page."""

    def answer(
        request: AnyRequest, status: int, code: str, detail: str, headers: Mapping[str, str]
    ) -> Response[Any]:
        page = error_page(request, problem_of(status, code, detail)) if error_page else None
        if page is None:
            return problem_response(status, code, detail, headers)
        page.headers.update(headers)
        return page

    def on_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
        code = error.code if isinstance(error, HttpProblem) else _code_of(error.status_code)
        return answer(request, error.status_code, code, _sentence(error), _kept_headers(error))

    def on_fault(request: AnyRequest, fault: Fault) -> Response[Any]:
        status, headers = _fault_status(fault)
        if status >= 500:
            _log.error("request failed", path=request.url.path, code=fault.code, fault=fault.sentence)
        return answer(request, status, fault.code, fault.sentence, headers)

    def on_bug(request: AnyRequest, error: Exception) -> Response[Any]:
        _log.error("request failed by a bug", path=request.url.path, exc_info=error)
        detail = "Something went wrong here, and it is logged. Nothing that was sent is lost: try again."
        return answer(request, 500, "internal", detail, {})

    def on_depth(request: AnyRequest, error: RecursionError) -> Response[Any]:
        if _IN_A_BODY not in str(error):
            return on_bug(request, error)
        detail = "The body is nested too deeply: no request of this API is."
        return answer(request, 400, _code_of(400), detail, {})

    return {HTTPException: on_http, Fault: on_fault, RecursionError: on_depth, Exception: on_bug}


def _code_of(status: int) -> str:
    return _CODES.get(status, "request.malformed" if status < 500 else "internal")


def _kept_headers(error: HTTPException) -> Mapping[str, str]:
    return dict(error.headers or {})


def _fault_status(fault: Fault) -> tuple[int, Mapping[str, str]]:
    if fault.retriable:
        return 503, {"Retry-After": str(RETRY_AFTER_S)}
    return next((status for kind, status in _FAULT_STATUS if isinstance(fault, kind)), 500), {}


def _sentence(error: HTTPException) -> str:
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return error.detail
    parts = [f"{item.get('key', 'body')}: {item.get('message', '')}" for item in error.extra[:5]]
    return "The request has not the form it must have: " + "; ".join(parts)
