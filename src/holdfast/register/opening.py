"""Opening a till to sell from it: a damaged one is mended first, for nobody may be there to do it."""

import contextlib

import structlog

from holdfast.core.faults import DamagedFault, StorageFullFault
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import faults
from holdfast.register.checkout import Checkout
from holdfast.register.till import mending
from holdfast.register.till.database import read_till
from holdfast.register.verify import problems_of

_log = structlog.get_logger(__name__)


def open_or_mend(home: RegisterHome, *, clock: Clock, randomness: Randomness) -> Checkout:
    """As `Checkout.open`; the caller holds the home alone."""
    if mending.is_wanted(home):
        with contextlib.suppress(StorageFullFault):  # then it sells what it still can
            mending.mend(home, clock=clock, randomness=randomness)
    try:
        return Checkout.open(home, clock=clock, randomness=randomness)
    except DamagedFault as fault:
        _log.error("till.damaged", cause=fault.sentence)
    mending.mend(home, clock=clock, randomness=randomness)
    return Checkout.open(home, clock=clock, randomness=randomness)


def is_whole(home: RegisterHome) -> bool:
    """Whether every page of the till can be read. Faults of keys and versions as `read_till` raises them."""
    config = load_config(home.config, RegisterConfig)
    try:
        till = read_till(home, DatabaseKey.load(home.database_key), config.origin)
        with contextlib.closing(till), faults(till):
            return not problems_of(till)
    except DamagedFault:
        return False
