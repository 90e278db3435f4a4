"""What all routes of the protocol `/v1` share."""

from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.openapi import ResponseSpec

from holdfast.core.sync.messages import Problem

ApiRequest = Request[Any, Any, State]


def problems(*codes: int) -> dict[int, ResponseSpec]:
    """Refusals as the document declares them."""
    return {
        code: ResponseSpec(
            Problem, media_type="application/problem+json", generate_examples=False, description=text
        )
        for code, text in (
            (400, "The request has not the form it must have"),
            (401, "No session, or one that is over: open another"),
            (403, "A key, a signature or an origin is not one that may do this"),
            (404, "There is no such thing"),
            (409, "That cannot be done, or not twice"),
            (413, "Larger than the protocol's bound"),
            (426, "This side speaks another version of the protocol"),
            (429, "Too many tries; see Retry-After"),
            (500, "A fault of head office; what was sent may be sent again"),
            (503, "Not now; see Retry-After. What was sent may be sent again"),
        )
        if code in codes
    }
