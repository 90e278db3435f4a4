"""What every role's web server shares: problem details, headers, static files, waits, serving and TLS."""

from holdfast.infra.web.lanes import Lane
from holdfast.infra.web.problems import (
    ErrorPage,
    HttpProblem,
    exception_handlers,
    problem_of,
    problem_response,
)
from holdfast.infra.web.security import security_headers
from holdfast.infra.web.server import Tls, free_port, serve
from holdfast.infra.web.static import static_router, static_url
from holdfast.infra.web.wakeups import Wakeups

__all__ = [
    "ErrorPage",
    "HttpProblem",
    "Lane",
    "Tls",
    "Wakeups",
    "exception_handlers",
    "free_port",
    "problem_of",
    "problem_response",
    "security_headers",
    "serve",
    "static_router",
    "static_url",
]
