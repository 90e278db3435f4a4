"""Mutants of central value."""

from typing import Any

import msgspec
import pytest

from holdfast.core.central import at_till
from holdfast.core.central.accounts import HoldKey
from holdfast.core.central.at_till import Stage
from holdfast.core.central.holds import Held
from holdfast.core.central.settle import Settling
from holdfast.core.central.stale import Owner
from holdfast.core.ingest import decide
from holdfast.hq.central.desk import CentralDesk
from holdfast.simulation import locks, value_memos, value_till
from holdfast.simulation.value_till import ValueTill
from tests.simulation.mutants.registry import mutant


@mutant("P8: gift_card", plan="value", seed=4, days=1, registers=1)
def value_moved_by_a_call(patch: pytest.MonkeyPatch) -> None:
    """What a till asks for is taken off the account at once."""
    original = CentralDesk._hold

    def hold(self: CentralDesk, central: Any, origin: Any, request: Any) -> Any:
        answer = original(self, central, origin, request)
        if isinstance(answer, Held) and answer.balance:
            central._change((request.kind, answer.account), balance=answer.balance - 1)
        return answer

    patch.setattr(CentralDesk, "_hold", hold)


@mutant("P8: gift_card", plan="value", seed=5, days=1, registers=1)
def released_before_the_entry_is_applied(patch: pytest.MonkeyPatch) -> None:
    """A till that concludes lets the card go by a call, ahead of the sale that takes from it."""
    original = ValueTill.conclude

    def conclude(self: ValueTill) -> bool:
        begun = self.wallet.open
        concluded = original(self)
        if concluded and begun is not None:
            for hold in begun.holds:
                self._let_go(hold.key, "removed")
        return concluded

    patch.setattr(ValueTill, "conclude", conclude)


@mutant("P8", plan="value", seed=6, days=1, registers=2)
def new_key_on_retry(patch: pytest.MonkeyPatch) -> None:
    """Where the answer was lost, a till asks again under another key; nobody ever ends the first one."""
    original = ValueTill._call

    def call(self: ValueTill, transaction: Any, hold: Any) -> None:
        if hold.stage is Stage.IN_DOUBT:
            fresh = msgspec.structs.replace(hold, key=HoldKey(self._id()))
            begun = next(one for one in self.wallet.all() if one.transaction == transaction)
            holds = tuple(fresh if one.key == hold.key else one for one in begun.holds)
            self._machine.database.wallet = self.wallet.with_holds(transaction, holds)
            hold = fresh
        original(self, transaction, hold)

    patch.setattr(ValueTill, "_call", call)


@mutant("P8: gift_card", plan="value", seed=4, days=1, registers=1)
def giving_up_ends_nothing(patch: pytest.MonkeyPatch) -> None:
    """A till's word that it goes on without a card is stored, and frees nobody."""
    patch.setattr(Settling, "end", lambda self, event: None)
    patch.setattr(CentralDesk, "release", lambda self, origin, key, cause: None)


@mutant("P8: movement", plan="value", seed=12, days=1, registers=1)
def movements_of_a_return_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A memo given for goods never gets its value."""
    original = decide.project_values

    def project_values(rows: Any, chain: Any, entry: Any, *arguments: Any) -> None:
        if entry.type != "return":
            original(rows, chain, entry, *arguments)

    patch.setattr(decide, "project_values", project_values)


@mutant("P8: r", plan="value", seed=4, days=1, registers=2, restore_hours=1)
def holds_of_a_former_life_believed(patch: pytest.MonkeyPatch) -> None:
    """A restored till takes for held what its old disk says, without asking again."""
    original = ValueTill.started
    patch.setattr(ValueTill, "started", lambda self, *, is_other_epoch: original(self, is_other_epoch=False))


@mutant("P8: gift_card", plan="value", seed=12, days=1, registers=2)
def grant_revived_by_a_restore(patch: pytest.MonkeyPatch) -> None:
    """A restored till takes of the allowance that its old disk holds, in whatever epoch it goes on."""
    original = value_till.may_take

    def may_take(allowed: Any, *arguments: Any, epoch: Any, **named: Any) -> Any:
        epoch = epoch if allowed is None else allowed.granted.epoch
        return original(allowed, *arguments, epoch=epoch, **named)

    patch.setattr(value_till, "may_take", may_take)


@mutant("P8: r1 vouches for a memo", plan="value", seed=10, days=1, registers=1)
def memo_vouched_for_after_it_was_handed(patch: pytest.MonkeyPatch) -> None:
    """A till believes its own memo whatever it handed to the wire since."""
    original = value_memos.own_memo

    def own_memo(read: Any, number: str, applied: int, handed: int | None) -> Any:
        return original(read, number, applied, 0)

    patch.setattr(value_memos, "own_memo", own_memo)


@mutant("P8: r1 uses a ", plan="value", seed=6, days=1, registers=1)
def worn_lock_used_without_asking(patch: pytest.MonkeyPatch) -> None:
    """What was held hours ago is used online as if it were held a moment ago."""
    patch.setattr(at_till, "is_worn", lambda hold, now_ms: False)


@mutant("P8: head office releases a ", plan="value", seed=1, days=1, registers=2)
def policy_releases_while_the_owner_may_owe(patch: pytest.MonkeyPatch) -> None:
    """An old lock is released wherever its register was in touch, whatever it may conclude or owe."""
    original = locks.verdict

    def verdict(since_ms: int, told_ms: int, owner: Owner, *arguments: Any) -> Any:
        owner = msgspec.structs.replace(owner, may_conclude_offline=False, is_past_asking=True)
        return original(since_ms, told_ms, owner, *arguments)

    patch.setattr(locks, "verdict", verdict)
