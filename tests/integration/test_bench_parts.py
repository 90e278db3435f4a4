"""A till that benchmarks fill is one that somebody sold at."""

from pathlib import Path

from bench import tills
from holdfast.register.verify import verify_register


def test_a_filled_till_is_what_selling_would_have_left(tmp_path: Path) -> None:
    home = tills.make_home(tmp_path / "till")
    tills.open_day(home)
    tills.fill(home, entries=50)
    tills.first_sale(home.path)
    verified = verify_register(home)
    assert verified.documents == 51
    assert verified.differences == ()
