"""Which locales there are."""

from babel import Locale
from babel.core import UnknownLocaleError


def is_locale(text: str) -> bool:
    """Whether figures can be written as that locale does: `en_GB`."""
    try:
        Locale.parse(text)
    except (ValueError, UnknownLocaleError):
        return False
    return True
