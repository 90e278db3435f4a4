"""The repository tests itself for tidiness: the rules of the house that no linter knows."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CORE = sorted((ROOT / "src/holdfast/core").rglob("*.py"))
DOCUMENTED = [*SOURCES, *sorted(ROOT.glob("bench/**/*.py")), *sorted(ROOT.glob("build_hooks/*.py"))]

LINES_MAX = 600
FUNCTION_LINES_MAX = 80

# One letter stands in brackets, so that this file does not hold what it looks for.
LATER = re.compile(r"\b(?:TO[D]O|FIX[M]E)\b")
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:wor[k]|roo[t]|hom[e]|tm[p]|User[s])/")
REGISTRY_HOST = re.compile(r"pyp[i]\.org|pythonhoste[d]\.org|npmj[s]\.(?:org|com)|de[b]\.debian\.org")

CLOCK_METHODS = {"now", "today", "utcnow"}
IMPURE_BUILTINS = {"breakpoint", "input", "open", "print"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Each text file that git has, or will have once it is added."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in sorted(filter(None, names.split("\0"))):
        path = ROOT / name
        if not path.is_file():  # deleted and not committed yet
            continue
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:  # a picture
            continue


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_source_file_is_too_long() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert not [item for item in lines.items() if item[1] > LINES_MAX], (
        f"over {LINES_MAX} lines; give a part of it a file of its own"
    )


def test_no_function_is_too_long() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, f"over {FUNCTION_LINES_MAX} lines; a function holds one thought"


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(path) for path in DOCUMENTED if not ast.get_docstring(tree_of(path))]
    assert not silent, "no docstring"


def test_nothing_is_left_for_later() -> None:
    assert not lines_matching(LATER), "do it now, or write an issue"


def test_no_file_names_a_machine() -> None:
    assert not lines_matching(MACHINE_PATH), "a path of one machine; take it from a setting"


def test_no_file_names_a_package_registry() -> None:
    assert not lines_matching(REGISTRY_HOST), "where packages come from is each machine's own configuration"


def clock_reads(tree: ast.Module) -> Iterator[int]:
    """Lines where code asks `datetime` or `date` for the present, by whatever name they were imported."""
    modules: set[str] = set()
    classes: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "datetime"}
        elif isinstance(node, ast.ImportFrom) and node.module == "datetime":
            classes |= {a.asname or a.name for a in node.names if a.name in ("date", "datetime")}
    classes |= {f"{module}.{name}" for module in modules for name in ("date", "datetime")}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in CLOCK_METHODS:
            continue
        if ast.unparse(node.value) in classes:
            yield node.lineno


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("from datetime import datetime as d\n\nx = d.now()", [3]),
        ("import datetime as dt\nx = dt.date.today", [2]),
        ("from datetime import datetime\ndatetime.fromtimestamp(0, None)", []),
        ("x = self.now()", []),
    ],
)
def test_clock_reads_are_recognised(code: str, lines: list[int]) -> None:
    assert list(clock_reads(ast.parse(code))) == lines


def test_core_reads_no_clock() -> None:
    reads = [f"{name_of(path)}:{line}" for path in CORE for line in clock_reads(tree_of(path))]
    assert not reads, "time enters core through arguments"


def test_core_calls_no_builtin_that_does_io() -> None:
    calls = [
        f"{name_of(path)}:{node.lineno} {node.func.id}"
        for path in CORE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS
    ]
    assert not calls, "core does no I/O"


def test_make_help_explains_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert targets == explained
    assert {"demo", "test", "check", "bench", "accept", "soak", "clean", "help"} <= targets


def test_requirements_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    wanted = {"runtime.txt": runtime, "dev.txt": [*runtime, *project["dependency-groups"]["dev"]]}
    for name, dependencies in wanted.items():
        text = (ROOT / "requirements" / name).read_text()
        pinned = set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", text, re.MULTILINE))
        missing = {re.split(r"[\[>=<]", d)[0] for d in dependencies} - pinned
        assert not missing, f"requirements/{name} is behind pyproject.toml: make lock"
