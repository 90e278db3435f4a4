"""Under which account PostgreSQL runs. It refuses root, and wants to own its data.

| we are | data belongs to | PostgreSQL runs as |
|---|---|---|
| an ordinary user | us, or is new | us |
| root | another user | that user |
| root | root, or is new | us, in a user namespace where we do not look like root |
| root, user namespaces forbidden (many containers) | root, or is new | a service account, given the data |
"""

import os
import pwd
from pathlib import Path

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.process import SELF, RunAs, can_use_namespace

_SERVICE_ACCOUNTS = ("holdfast", "postgres", "nobody")


def account_for(data_dir: Path) -> RunAs:
    """The account for the server on `data_dir`, by the table above."""
    owner = data_dir.stat().st_uid if data_dir.exists() else None
    if os.geteuid() != 0:
        return _as_ordinary_user(data_dir, owner)
    if owner:
        return RunAs(owner, data_dir.stat().st_gid)
    uid, gid = _service_account()
    if can_use_namespace(uid):
        return RunAs(uid, gid, in_namespace=True)
    return RunAs(uid, gid)


def _as_ordinary_user(data_dir: Path, owner: int | None) -> RunAs:
    me = os.geteuid()
    if owner not in (None, me):
        raise ConfigurationFault(
            f"The database in {data_dir} belongs to user {_name_of(owner)}, and this process is "
            f"{_name_of(me)}. "
            f"Start Holdfast as {_name_of(owner)}."
        )
    if _is_known(me):
        return SELF
    # Containers run as any number, without an entry in /etc/passwd; initdb refuses that.
    uid, gid = _service_account()
    if can_use_namespace(uid):
        return RunAs(uid, gid, in_namespace=True)
    raise ConfigurationFault(
        f"The user with the number {me} has no name on this machine, and PostgreSQL needs one. "
        "Add it to /etc/passwd of the container, or run as a user that is there."
    )


def give_to(run_as: RunAs, path: Path) -> None:
    """Make a folder, with all inside, belong to the account. Only root can, and only root may need to."""
    if os.geteuid() != 0:
        return
    uid, gid = (0, 0) if run_as.uid is None or run_as.in_namespace else (run_as.uid, run_as.gid)
    if path.stat().st_uid == uid:
        return
    for folder, subfolders, files in os.walk(path):
        for name in subfolders + files:
            os.chown(os.path.join(folder, name), uid, gid, follow_symlinks=False)
    os.chown(path, uid, gid)  # last, because it says that the rest was done


def check_reachable(run_as: RunAs, path: Path) -> None:
    """ConfigurationFault naming the first folder above `path` that the account may not enter."""
    if run_as.uid is None or run_as.in_namespace:
        return
    for folder in reversed(path.parents):
        state = folder.stat()
        bit = 0o100 if state.st_uid == run_as.uid else 0o010 if state.st_gid == run_as.gid else 0o001
        if not state.st_mode & bit:
            raise ConfigurationFault(
                f"As root, Holdfast runs PostgreSQL as user {_name_of(run_as.uid)}, who may not enter "
                f"{folder}. "
                f"Start Holdfast as an ordinary user, or put its data and installation outside {folder}."
            )


def _service_account() -> tuple[int, int]:
    for name in _SERVICE_ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise ConfigurationFault(
        "PostgreSQL refuses to run as root, and this machine has none of the users "
        f"{', '.join(_SERVICE_ACCOUNTS)}. "
        "Add a user named holdfast, or start Holdfast as an ordinary user."
    )


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name_of(uid: int | None) -> str:
    if uid is None:
        return "nobody in particular"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
