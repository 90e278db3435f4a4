"""The certificate that a server presents."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tls:
    """The PEM files that a server presents."""

    certificate: Path
    key: Path
