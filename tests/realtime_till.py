"""A till's page beside a head office that ships, its store in memory, over a line that a test cuts."""

import contextlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from litestar.testing import TestClient

from holdfast.core.central.accounts import Act as ValueAct
from holdfast.core.central.accounts import Kind
from holdfast.core.connection import Mode
from holdfast.core.operations import OPERATIONS
from holdfast.core.parameters import ParameterRow
from holdfast.core.sync.batch import encode_batch
from holdfast.core.sync.messages import Ack
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.till.database import read_till
from holdfast.register.till.handed import Handed
from holdfast.register.till.journal import TillJournal
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy
from tests.integration.test_register_sync.line_proxy import Mode as Line
from tests.register_fixture import CASHIER, MANAGER, ORIGIN, make_register
from tests.sending import NoReceipts
from tests.staffed_till import StaffedTill
from tests.unit.core.shop import done

CARD_OFFLINE, MEMO_OFFLINE = "offline.gift-cards", "offline.credit-memos"


class RealTimeTill:
    """What a cashier does is done through the page; `sync` sends what is owed as the sync process would."""

    def __init__(
        self, home: RegisterHome, office: HeadOffice, line: LineProxy, undo: contextlib.ExitStack, role: str
    ) -> None:
        self.home = home
        self.office = office
        self.line = line
        self.undo = undo
        self.role = role
        self.opened = 0
        self.file = ReferenceFile(home, DatabaseKey.load(home.database_key))
        undo.callback(self.file.close)
        self.running = undo.enter_context(contextlib.ExitStack())
        self.till: StaffedTill
        self.client: TestClient[Any]

    @property
    def checkout(self) -> Any:
        return self.till.checkout

    def cut(self) -> None:
        """The line is down, and the register knows."""
        self.line.mode = Line.CUT
        self._know(Mode.OFFLINE)

    def heal(self) -> None:
        self.line.mode = Line.OPEN
        self._know(Mode.ONLINE)

    def _know(self, mode: Mode) -> None:
        self.till.work(mode)
        self.till.services.real_time.heard(mode)

    def crash(self) -> None:
        """Its process is gone without a word, and another one opens what lies on the disk."""
        self.running.close()
        self.client = self.undo.enter_context(self.reopened().browser(self.role))

    def reopened(self) -> StaffedTill:
        self.opened += 1
        self.till = StaffedTill(self.home, self.file, OPERATIONS, self.opened)
        self.running.callback(self.till.give_back_pages)
        self.running.callback(self.till.checkout.close)
        self.running.callback(self.till.services.real_time.close)
        self.heal()
        return self.till

    def allow(self, **parameters: bool) -> None:
        """Head office sets them; what begins from now on goes by them."""
        names = {"cards": CARD_OFFLINE, "memos": MEMO_OFFLINE}
        self.till.feed(
            "parameters", {names[name]: ParameterRow(value=value) for name, value in parameters.items()}
        )

    def sync(self, *, arrives: bool = True) -> None:
        """All that the till has written leaves and arrives; what was there has no second effect."""
        key = SigningKey.load(self.home.signing_key)
        with closing(read_till(self.home, DatabaseKey.load(self.home.database_key), ORIGIN)) as connection:
            journal = TillJournal(connection, key, NoReceipts())
            for head in journal.heads():
                piece = journal.piece(head.epoch, 1, 10_000, 1 << 23)
                assert piece is not None
                batch = encode_batch(ORIGIN, head.epoch, piece.previous_hash, piece.entries, piece.head)
                with closing(Handed(self.home.handed)) as handed:
                    handed.raise_to(piece.head, lambda: [known.epoch for known in journal.heads()])
                if arrives:
                    assert isinstance(self.office.ingest.receive_batch(ORIGIN, batch), Ack)

    # ---- the page

    def post(self, path: str, **fields: str) -> str:
        answer = self.client.post(path, data=fields, headers={"hx-request": "true", "hx-target": "work"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def get(self, path: str) -> str:
        return self.client.get(path, headers={"hx-request": "true"}).text

    def hold(self) -> Any:
        """The only hold of the open transaction."""
        [hold] = self.checkout.basket().holds
        return hold

    def on_hold(self, act: str) -> str:
        hold = self.hold()
        return self.post(f"/held/{hold.kind.value}/{hold.key}/{act}?from=pay")

    def documents(self) -> list[Any]:
        return [*self.till.journalled("sale"), *self.till.journalled("return")]

    def keys(self, act: ValueAct | None = None) -> list[str]:
        return [body.key for body in self.till.journalled("hold_asked") if act in (None, body.act)]

    def balance(self, account: str, kind: Kind = Kind.GIFT_CARD) -> int:
        return self.office.balance(kind, account)


@contextlib.contextmanager
def realtime_till(folder: Path, *, role: str = "manager") -> Iterator[RealTimeTill]:
    """Signed in, the day open, the line up."""
    with contextlib.ExitStack() as undo:
        home = make_register(folder)
        office = HeadOffice(SigningKey.load(home.signing_key))
        undo.callback(office.close)
        line = LineProxy(office.port)
        undo.callback(line.close)
        config = load_config(home.config, RegisterConfig)
        url = f"http://127.0.0.1:{line.port}"
        save_config(home.config, msgspec.structs.replace(config, head_office_url=url))
        open_reference(home, DatabaseKey.load(home.database_key)).close()
        made = RealTimeTill(home, office, line, undo, role)
        done(made.reopened().checkout.open_day(by=CASHIER, approved_by=MANAGER))
        made.sync(arrives=False)
        made.client = undo.enter_context(made.till.browser(role))
        yield made
