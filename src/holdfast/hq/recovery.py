"""A register's lost database key, opened with head office's recovery key for the machine that asks.

register: holdfast register recover            prints a word
head office: this                              answers with another word, for that machine alone
register: holdfast register recover --answer   has its key again, and every unsent sale with it
"""

from holdfast.core.faults import KeyFault
from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.service import HeadOffice
from holdfast.infra.keys import RecoveryKey, answer_request, read_request


def answer_recovery(
    head_office: HeadOffice, word: str, *, by: str, of: OriginId | None = None
) -> str | Refusal:
    """What that machine is told; the register's alerts say that it was.

    `of`: the only register that may ask. KeyFault where the word is none, or no copy of the key is here.
    """
    request = read_request(word)
    if of is not None and request.origin != of:
        return Refusal(
            "recover.other",
            f"That word is of another register, {request.origin}. Answer it on that one's page.",
        )
    copy = request.copy or head_office.enrolment.recovery_copy(request.origin)
    if copy is None:
        raise KeyFault(
            f"No recovery copy of {request.origin} is here, and none came with the request. Copy its "
            "till.db.recovery from a backup of its data folder beside its database, and ask again."
        )
    answer = answer_request(RecoveryKey.load(head_office.home.recovery_key), request, copy)
    head_office.enrolment.note_recovered(request.origin, by)
    return answer
