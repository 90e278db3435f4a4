"""The head office process: its database, its web server, and nothing that outlives it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from holdfast.core.faults import ConfigurationFault, Fault
from holdfast.hq.service import HeadOffice
from holdfast.hq.web.services import open_services
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, exclusive, load_config, probe_port
from holdfast.infra.postgres.progress import Progress, silent

_log = structlog.get_logger(__name__)


def serve_head_office(
    path: Path, *, on_ready: Callable[[str], None] | None = None, progress: Progress = silent
) -> None:
    """Serve the head office in that folder until SIGTERM or SIGINT.

    ConfigurationFault where the folder is none, another process serves it, or the port is in use;
    KeyFault, DatabaseFault, StorageFullFault and UnavailableFault as they say.
    """
    from holdfast.hq.web.app import create_app  # other commands use this module without a web server
    from holdfast.infra.web import serve

    home = home_in(path)
    config = load_config(home.config, HeadOfficeConfig)
    with exclusive(home.lock):
        probe_port(config.listen_host, config.listen_port)  # before a database is started in vain
        head_office = HeadOffice.open(home, beside_service=False, progress=progress)
        with head_office, open_services(head_office) as services:
            _retry_quarantine(head_office)
            serve(
                create_app(services),
                host=config.listen_host,
                port=config.listen_port,
                wakeups=services.wakeups,
                tls=services.tls,
                on_ready=on_ready,
            )


def _retry_quarantine(head_office: HeadOffice) -> None:
    """What a former version could not read is tried again, while registers send already (P10)."""

    def retry() -> None:
        try:
            taken, waiting = head_office.ingest.retry_quarantine()
        except Fault as fault:
            _log.warning("entries in quarantine were not all tried", code=fault.code, fault=fault.sentence)
            return
        if taken or waiting:
            _log.info("entries in quarantine were tried again", taken=taken, waiting=waiting)

    threading.Thread(target=retry, name="retry-quarantine", daemon=True).start()


def home_in(path: Path) -> HeadOfficeHome:
    """The head office in that folder. ConfigurationFault where there is none."""
    home = HeadOfficeHome(path)
    if not home.config.exists():
        raise ConfigurationFault(
            f"There is no head office in {path}. Make one: holdfast hq init --home {path}"
        )
    let_pass(home)
    return home


def let_pass(home: HeadOfficeHome) -> None:
    """As root: let the account that PostgreSQL runs under through to its folders, and to no secret."""
    if os.geteuid() == 0:
        for folder in (home.path, home.postgres, home.backups):
            folder.chmod(0o711)
