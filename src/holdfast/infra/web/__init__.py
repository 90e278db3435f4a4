"""What every role's web server shares: problem details, headers, static files, waits, serving and TLS.

A name is loaded when somebody asks for it: a command that serves nothing loads no web framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.infra.web.lanes import Lane
    from holdfast.infra.web.problems import (
        ErrorPage,
        HttpProblem,
        exception_handlers,
        problem_of,
        problem_response,
    )
    from holdfast.infra.web.security import security_headers
    from holdfast.infra.web.server import free_port, serve
    from holdfast.infra.web.static import static_router, static_url
    from holdfast.infra.web.tls import Tls
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

_MODULES = {
    "ErrorPage": "problems",
    "HttpProblem": "problems",
    "Lane": "lanes",
    "Tls": "tls",
    "Wakeups": "wakeups",
    "exception_handlers": "problems",
    "free_port": "server",
    "problem_of": "problems",
    "problem_response": "problems",
    "security_headers": "security",
    "serve": "server",
    "static_router": "static",
    "static_url": "static",
}


def __getattr__(name: str) -> Any:
    """Load the module of a name above, once. AttributeError for any other."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
