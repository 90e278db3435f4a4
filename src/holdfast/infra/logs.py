"""Logs: one JSON object a line on standard error, from our own code and from every library.

Nothing secret leaves in a line, whatever was passed by mistake: values under telling names are
replaced, passwords in URLs are cut out, and any number that could be a card's is masked (P9).
Tracebacks come without local variables, which is where keys would be.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

REDACTED = "[redacted]"
TEXT_CHARS_MAX = 16_384
"""One value of one line; a longer one is cut, so that a stray body cannot fill the disk."""
DEPTH_MAX = 6

_SECRET_WORDS = frozenset(
    {"authorization", "cookie", "cvc", "cvv", "dsn", "pan", "passphrase", "password", "pin", "secret"}
    | {"token", "track1", "track2"}
)
_SECRET_LAST_WORD = "key"
"""Only as the last word: `database_key` is a secret, `key_id` is a fingerprint."""
_PUBLIC_KEYS = frozenset({"idempotency_key", "public_key"})
_MEASURES = ("_ms", "_us", "_ns")
"""Times in these units have 13 to 19 digits, and one in ten passes Luhn."""

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")
_NAMED_PASSWORD = re.compile(
    r"(?i)\b(password|passwd|secret|token|pin)(\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s,;&]+)"
)
_CARD_NUMBERS = tuple(
    re.compile(rf"(?<!\d)(?:{form})(?!\d)")
    for form in (
        r"\d{13,19}",
        r"(?:\d{4}[ -]){4}\d{1,3}",  # as embossed, 17 to 19 digits
        r"(?:\d{4}[ -]){3}\d{1,4}",  # 13 to 16
        r"\d{4}[ -]\d{6}[ -]\d{4,5}",  # 14 and 15
    )
)


def configure_logs(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to `stream` (standard error by default).

    JSON lines, or readable ones where a person watches. Call it once, first thing in a process.
    """
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,  # last before the words leave, so that nothing is added after it
                _renderer(out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx", "httpcore"):  # a line a request, with its URL
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _renderer(out: TextIO) -> Processor:
    if out.isatty():
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()


# ---- redaction ---------------------------------------------------------------------------------


def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """structlog processor: the event with nothing secret in it."""
    return {
        redact_text(str(name)): _redact_field(str(name), value, DEPTH_MAX) for name, value in event.items()
    }


def redact_text(text: str) -> str:
    """The text without passwords and without numbers that could be a card's; cut to a bound."""
    if len(text) > TEXT_CHARS_MAX:
        text = f"{text[:TEXT_CHARS_MAX]}… ({len(text)} characters)"
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    text = _NAMED_PASSWORD.sub(rf"\1\2{REDACTED}", text)
    for form in _CARD_NUMBERS:
        text = form.sub(_mask, text)
    return text


def _mask(found: re.Match[str]) -> str:
    return REDACTED if passes_luhn(found[0]) else found[0]


def passes_luhn(digits: str) -> bool:
    """The check digit of card numbers, ISO/IEC 7812-1 annex B; blanks and hyphens are skipped."""
    total = 0
    for place, digit in enumerate(int(sign) for sign in reversed(digits) if sign.isdecimal()):
        doubled = digit * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _redact_field(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value  # whether there is one is no secret
    if _is_secret(name):
        return REDACTED
    if isinstance(value, int) and name.endswith(_MEASURES):
        return value
    return _redact_value(value, depth)


def _redact_value(value: object, depth: int) -> object:
    match value:
        case None | bool() | float():
            return value
        case int():
            text = str(value)
            return value if redact_text(text) == text else REDACTED
        case str():
            return redact_text(value)
        case Mapping() if depth:
            return {redact_text(str(k)): _redact_field(str(k), v, depth - 1) for k, v in value.items()}
        case list() | tuple() | set() | frozenset() if depth:
            return [_redact_value(item, depth - 1) for item in value]
        case _:
            return redact_text(repr(value))


def _is_secret(name: str) -> bool:
    if name in _PUBLIC_KEYS:
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(words) and (words[-1] == _SECRET_LAST_WORD or not _SECRET_WORDS.isdisjoint(words))
