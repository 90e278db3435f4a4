"""Which layer is broken: named where something proves it, and else not (SW12)."""

import pytest

from holdfast.core.reach import Findings, Knock, Reach, Where, judge

STORE = Findings(has_carrier=True, has_route=True, is_near=False, router=True, name=True, knock=Knock.SILENT)


def seen(**changes: object) -> Findings:
    fields = {name: getattr(STORE, name) for name in STORE.__struct_fields__} | changes
    return Findings(**fields)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("findings", "where", "detail"),
    [
        (seen(knock=Knock.REFUSED), Where.HEAD_OFFICE, "refused"),
        (seen(knock=Knock.OPEN), Where.HEAD_OFFICE, "mute"),
        (seen(has_carrier=False, router=None), Where.STORE_NETWORK, "no-carrier"),
        (seen(has_route=False, router=None, knock=Knock.UNREACHABLE), Where.STORE_NETWORK, "no-route"),
        (seen(router=False), Where.STORE_NETWORK, "router-silent"),
        (seen(name=False, knock=None), Where.INTERNET, "no-name"),
        (seen(knock=Knock.UNREACHABLE), Where.INTERNET, "no-way"),
        (seen(landmark=Knock.SILENT), Where.INTERNET, "landmark-silent"),
        (seen(landmark=Knock.OPEN), Where.HEAD_OFFICE, "only-there"),
        (seen(landmark=Knock.REFUSED, name=False, knock=None), Where.HEAD_OFFICE, "only-there"),
        (seen(is_near=True, router=None), Where.HEAD_OFFICE, "near-silent"),
        (seen(), Where.BEYOND, "silent"),
        (seen(router=None), Where.UNKNOWN, ""),
        (seen(router=None, name=False, knock=None), Where.UNKNOWN, ""),
        (Findings(), Where.UNKNOWN, ""),
    ],
)
def test_a_cause_is_named_where_it_is_proved(findings: Findings, where: Where, detail: str) -> None:
    assert judge(findings) == Reach(where=where, detail=detail, is_near=bool(findings.is_near))


def test_an_answer_of_head_offices_machine_outweighs_all_else() -> None:
    """Whatever this machine says of its adapters: somebody was reached."""
    for knock in (Knock.OPEN, Knock.REFUSED):
        assert judge(seen(has_carrier=False, router=False, knock=knock)).where is Where.HEAD_OFFICE
