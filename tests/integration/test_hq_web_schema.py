"""The API against its own document: whatever is sent, the answer is one that was declared."""

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok

from holdfast.hq.web.sync_routes import BATCH_TYPE
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

EXAMPLES = 12
OPERATIONS = 18
_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(BATCH_TYPE)
def batch_bytes(_: object, value: object) -> bytes:
    """Any bytes will do: a batch is told from them by the server."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def unstorable(value: Any) -> Any:
    """The same with a NUL in each text: JSON has it, PostgreSQL's text does not."""
    if isinstance(value, str):
        return value[: len(value) // 2] + "\x00" + value[len(value) // 2 + 1 :]
    if isinstance(value, list):
        return [unstorable(item) for item in value]
    if isinstance(value, Mapping):
        return {name: unstorable(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize("is_unstorable", [False, True])
def test_every_answer_is_a_declared_one(office: ServedHeadOffice, is_unstorable: bool) -> None:
    client = office.session(office.enrol(SampleJournal().open().sell(1)))
    schema = schemathesis.openapi.from_url(f"{office.url}/v1/openapi.json")
    token = {"Authorization": client.headers["Authorization"]}
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS
    for operation in operations:

        @settings(
            max_examples=EXAMPLES // 3 if is_unstorable else EXAMPLES,
            suppress_health_check=_SLOW,
            database=None,
        )
        @given(case=operation.as_strategy())
        def send(case: schemathesis.Case) -> None:
            if case.path.endswith("/commands"):
                case.query = {**(case.query or {}), "wait_s": 0}  # nobody has time to wait for one
            if is_unstorable:
                case.body = unstorable(case.body)
                case.query = unstorable(case.query)
                case.path_parameters = unstorable(case.path_parameters)
            case.call_and_validate(headers=token, checks=_CHECKS)

        send()
