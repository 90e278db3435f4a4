"""Products, prices, taxes, quick keys, roles, staff and so on from CSV into the feeds: all rows, or none."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core.bounds import id_refusal, text_refusal
from holdfast.core.business_day import is_date
from holdfast.core.catalogue import Price, Product, price_refusal, product_refusal
from holdfast.core.customers import CustomerRow, read_details
from holdfast.core.foreign_cash import RATE_PLACES, CurrencyRate, currency_rate_refusal
from holdfast.core.ids import CustomerNumber, Sku, StaffId
from holdfast.core.money import Currency, currency_of, parse_decimal, parse_e4, parse_minor
from holdfast.core.operations.roles import DEFAULT_ROLES, row_of, row_refusal
from holdfast.core.parameters import read_key, value_of
from holdfast.core.quick_keys import LABEL_CHARS_MAX, POSITION_MAX, QuickKey, quick_key_refusal
from holdfast.core.refusals import Refusal
from holdfast.core.tax import TaxRate, tax_rate_refusal
from holdfast.hq.csv_rows import BadRow, CsvFile, CsvRow, read_csv
from holdfast.hq.customers.book import CustomerBook
from holdfast.hq.effects import Effects, effects_of
from holdfast.hq.feeds import Feeds
from holdfast.hq.parameters.book import Draft, ParameterBook

BAD_ROWS_SHOWN = 200
"""So many are named; the rest is counted."""
FIRST_DATE = "0001-01-01"
ROLES = ("cashier", *(role for role in DEFAULT_ROLES if role != "cashier"))
"""The first is whoever's file says nothing else."""
PIN_DIGITS_MIN, PIN_DIGITS_MAX = 4, 12
_YES = frozenset({"yes", "true", "1", "y"})
_NO = frozenset({"no", "false", "0", "n"})

Progress = Callable[[int, int], None]
"""Rows done, rows in all."""


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the staff feed."""

    id: StaffId
    name: str
    role: str
    pin_hash: str
    active: bool


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds, and what became of it."""

    kind: str
    rows: int
    good: int
    bad: tuple[BadRow, ...]
    """The first ones; `rows - good` says how many there are."""
    unknown_columns: tuple[str, ...]
    taken: bool
    changed: int = 0
    """Rows that say something new; the others keep their version."""
    version: int = 0
    effects: Effects | None = None
    """What taking the good rows would do; only a preview looks."""


class Wrong(Exception):
    """One field of one row; caught where rows are collected."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A file that can be loaded."""

    feed: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    hint: str = ""
    """What a column's name does not say."""
    read: Callable[[Mapping[str, str]], tuple[str, msgspec.Struct]]
    """A row's fields to (key, body). Raises Wrong."""


# ---- rows --------------------------------------------------------------------------------------


def _given(fields: Mapping[str, str], column: str) -> str:
    value = fields.get(column, "")
    if not value:
        raise Wrong(column, "is empty")
    return value


def _checked(column: str, refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Wrong(column, refusal.sentence)


def _yes_or_no(fields: Mapping[str, str], column: str, default: str) -> bool:
    value = (fields.get(column, "") or default).lower()
    if value not in _YES | _NO:
        raise Wrong(column, f"{value[:40]!r} is neither yes nor no")
    return value in _YES


def _date(fields: Mapping[str, str], column: str) -> str:
    value = fields.get(column, "") or FIRST_DATE
    if not is_date(value):
        raise Wrong(column, f"{value[:40]!r} is not a date. Write it as in 2025-12-31.")
    return value


def _currency_in(fields: Mapping[str, str], column: str) -> Currency:
    currency = currency_of(_given(fields, column))
    if isinstance(currency, Refusal):
        raise Wrong(column, currency.sentence)
    return currency


def _product(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    unit = fields.get("unit", "") or "each"
    if unit not in ("each", "kg"):
        raise Wrong("unit", f"{unit[:40]!r} is no unit. Write each or kg.")
    sku = _given(fields, "sku")
    _checked("sku", id_refusal("The stock code", sku))
    _checked("description", text_refusal("The description", fields.get("description", "")))
    _checked("tax_code", id_refusal("The tax code", _given(fields, "tax_code")))
    _checked("department", text_refusal("The department", fields.get("department", "")))
    product = Product(
        sku=Sku(sku),
        description=fields.get("description", ""),
        tax_code=fields["tax_code"],
        unit="kg" if unit == "kg" else "each",
        department=fields.get("department", ""),
        barcodes=tuple(fields.get("barcodes", "").replace("|", " ").split()),
    )
    _checked("barcodes", product_refusal(product))
    return sku, product


def _price(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    sku = _given(fields, "sku")
    _checked("sku", id_refusal("The stock code", sku))
    unit_price_e4 = parse_e4(_given(fields, "price"))
    if isinstance(unit_price_e4, Refusal):
        raise Wrong("price", unit_price_e4.sentence)
    _checked("price", price_refusal(unit_price_e4))
    currency = _currency_in(fields, "currency")
    price = Price(
        sku=Sku(sku),
        unit_price_e4=unit_price_e4,
        currency=currency.code,
        valid_from=_date(fields, "valid_from"),
    )
    return f"{sku}|{price.valid_from}|{price.currency}", price


def _tax(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    percent_e4 = parse_decimal(_given(fields, "percent").removesuffix("%").strip(), 4)
    if isinstance(percent_e4, Refusal):
        raise Wrong("percent", percent_e4.sentence)
    rate = TaxRate(
        code=_given(fields, "code"),
        name=fields.get("name", "") or fields["code"],
        rate_e6=percent_e4,  # ten-thousandths of a percent are millionths
        inclusive=_yes_or_no(fields, "inclusive", "yes"),
        valid_from=_date(fields, "valid_from"),
    )
    _checked("code", tax_rate_refusal(rate))
    return f"{rate.code}|{rate.valid_from}", rate


def _customer(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    number = _given(fields, "number")
    _checked("number", id_refusal("The customer's number", number))
    details = read_details(fields)
    if isinstance(details, Refusal):
        raise Wrong(_WRONG_CUSTOMER.get(details.code, "name"), details.sentence)
    return number, CustomerRow(number=CustomerNumber(number), details=details)


_WRONG_CUSTOMER = {"customer.email": "email", "customer.phone": "phone"}
_WRONG_COLUMN = {"currency.home": "home", "currency.rate": "rate", "currency.smallest": "smallest"}


def _currency(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    foreign, home = _currency_in(fields, "currency"), _currency_in(fields, "home")
    rate_e8 = parse_decimal(_given(fields, "rate"), RATE_PLACES)
    if isinstance(rate_e8, Refusal):
        raise Wrong("rate", rate_e8.sentence)
    smallest_minor = parse_minor(_given(fields, "smallest"), foreign)
    if isinstance(smallest_minor, Refusal):
        raise Wrong("smallest", smallest_minor.sentence)
    rate = CurrencyRate(
        currency=foreign.code,
        home=home.code,
        rate_e8=rate_e8,
        smallest_minor=smallest_minor,
        valid_from=_date(fields, "valid_from"),
        accepted=_yes_or_no(fields, "accepted", "yes"),
    )
    if wrong := currency_rate_refusal(rate):
        raise Wrong(_WRONG_COLUMN.get(wrong.code, "currency"), wrong.sentence)
    return rate.key, rate


def _quick_key(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    position, sku, label = _given(fields, "position"), fields.get("sku", ""), fields.get("label", "")
    if not (position.isascii() and position.isdigit() and 1 <= int(position[:9]) <= POSITION_MAX):
        raise Wrong("position", f"{position[:40]!r} is no whole number from 1 to {POSITION_MAX}")
    if label and not sku:
        raise Wrong("sku", "is empty beside a label. Leave both empty to take the key away.")
    _checked("label", text_refusal("The label", label, LABEL_CHARS_MAX))
    key = QuickKey(position=int(position), sku=Sku(sku), label=label)
    _checked("sku", quick_key_refusal(key))
    return key.key, key


_LIMITS_PERCENT = {
    "line_discount": "line_discount_e2_max",
    "total_discount": "total_discount_e2_max",
    "price_override": "override_e2_max",
}
_LIMITS_AMOUNT = {
    "return_without_receipt": "return_without_receipt_minor_max",
    "refund": "refund_minor_max",
    "foreign_change": "foreign_change_minor_max",
}


def _role(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    """A role as it ships, with what this row says otherwise."""
    name, currency = _given(fields, "role"), _currency_in(fields, "currency")
    shipped = DEFAULT_ROLES.get(name)
    if shipped is None:
        raise Wrong("role", f"{name[:40]!r} is no role. Write {', '.join(DEFAULT_ROLES)}.")
    row = row_of(shipped, currency.code)
    more, less = fields.get("also_may", "").split(), fields.get("may_not", "").split()
    permissions = tuple(dict.fromkeys([given for given in (*row.permissions, *more) if given not in less]))
    for column, names in (("also_may", more), ("may_not", less)):
        _checked(column, row_refusal(msgspec.structs.replace(row, permissions=tuple(names))))
    row = msgspec.structs.replace(row, permissions=permissions)
    for column, limit in (_LIMITS_PERCENT | _LIMITS_AMOUNT).items():
        if text := fields.get(column, "").removesuffix("%").strip():
            is_percent = column in _LIMITS_PERCENT
            value = parse_decimal(text, 2) if is_percent else parse_minor(text, currency)
            if isinstance(value, Refusal):
                raise Wrong(column, value.sentence)
            row = msgspec.structs.replace(row, **{limit: value})
            _checked(column, row_refusal(row))
    return row.key, row


def _staff(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    """The PIN is still as it was typed; `load` hashes it."""
    number = _given(fields, "id")
    _checked("id", id_refusal("The staff number", number))
    name = _given(fields, "name")
    _checked("name", text_refusal("The name", name))
    role = fields.get("role", "") or ROLES[0]
    if role not in ROLES:
        raise Wrong("role", f"{role[:40]!r} is no role. Write {', '.join(ROLES)}.")
    pin, pin_hash = fields.get("pin", ""), fields.get("pin_hash", "")
    if bool(pin) == bool(pin_hash):
        raise Wrong("pin", "either pin or pin_hash must be given")
    if pin_hash and not pin_hash.startswith("$argon2"):
        raise Wrong("pin_hash", "is no argon2 hash")
    digits = pin.isascii() and pin.isdigit() and PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX
    if pin and not digits:
        raise Wrong("pin", f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    return number, StaffRow(
        id=StaffId(number),
        name=name,
        role=role,
        pin_hash=pin_hash or _PLAIN + pin,
        active=_yes_or_no(fields, "active", "yes"),
    )


def _parameter(fields: Mapping[str, str]) -> tuple[str, msgspec.Struct]:
    """Its key with the date: a file may set several dates of one parameter."""
    key = _given(fields, "name")
    known = read_key(key)
    if isinstance(known, Refusal):
        raise Wrong("name", known.sentence)
    parameter, scope = known
    value = value_of(parameter, _given(fields, "value"))
    if isinstance(value, Refusal):
        raise Wrong("value", value.sentence)
    draft = Draft(name=parameter.name, scope=scope, value=value, valid_from=_date(fields, "valid_from"))
    return f"{key}|{draft.valid_from}", draft


_PLAIN = "plain:"

KINDS: dict[str, Kind] = {
    "products": Kind(
        feed="products",
        required=("sku", "description", "tax_code"),
        optional=("unit", "department", "barcodes"),
        read=_product,
    ),
    "prices": Kind(
        feed="prices", required=("sku", "price", "currency"), optional=("valid_from",), read=_price
    ),
    "taxes": Kind(
        feed="taxes",
        required=("code", "percent"),
        optional=("name", "inclusive", "valid_from"),
        read=_tax,
    ),
    "currencies": Kind(
        feed="currencies",
        required=("currency", "home", "rate", "smallest"),
        optional=("valid_from", "accepted"),
        hint="the rate is home currency for one unit; the smallest, the note or coin that is taken",
        read=_currency,
    ),
    "quick-keys": Kind(
        feed="quick_keys",
        required=("position", "sku"),
        optional=("label",),
        hint="in the order of position, from 1; without a sku, nothing stands at that position any more",
        read=_quick_key,
    ),
    "roles": Kind(
        feed="roles",
        required=("role", "currency"),
        optional=("also_may", "may_not", *_LIMITS_PERCENT, *_LIMITS_AMOUNT),
        hint="what is left empty is as the role ships; limits are percentages, then amounts",
        read=_role,
    ),
    "staff": Kind(
        feed="staff", required=("id", "name"), optional=("role", "pin", "pin_hash", "active"), read=_staff
    ),
    "customers": Kind(
        feed="customers",
        required=("number", "name"),
        optional=("email", "phone", "address", "note"),
        hint="a customer who was forgotten or merged stays so, whatever the file says",
        read=_customer,
    ),
    "parameters": Kind(
        feed="parameters",
        required=("name", "value"),
        optional=("valid_from",),
        hint="names and values as in docs/reference/parameters.md; the lines of a text stand between bars",
        read=_parameter,
    ),
}


# ---- files -------------------------------------------------------------------------------------


def preview(kind: str, data: bytes) -> LoadReport | Refusal:
    """What a file holds; nothing is taken."""
    collected = _collect(kind, data)
    return collected if isinstance(collected, Refusal) else collected.report


class Catalogue:
    """Loads files into the feeds."""

    def __init__(
        self,
        feeds: Feeds,
        hasher: PasswordHasher | None = None,
        *,
        customers: CustomerBook | None = None,
        parameters: ParameterBook | None = None,
    ) -> None:
        """`customers`, `parameters`: who takes their file; a feed of theirs is made from the book."""
        self._feeds = feeds
        self._customers = customers
        self._parameters = parameters
        self._hasher = hasher or PasswordHasher()

    def preview(self, kind: str, data: bytes) -> LoadReport | Refusal:
        """What a file holds, and what it would change; nothing is taken."""
        collected = _collect(kind, data)
        if isinstance(collected, Refusal):
            return collected
        known = self._feeds.known(KINDS[kind].feed, collected.rows)
        if kind == "parameters" and self._parameters is not None:
            known = self._parameters.known(_drafts(collected.rows))
        if kind == "customers":
            known = {key: _without_revision(body) for key, body in known.items()}
        effects = effects_of(collected.rows, collected.lines, known, self._is_pin)
        return msgspec.structs.replace(collected.report, effects=effects)

    def load(
        self,
        kind: str,
        data: bytes,
        *,
        take_good: bool = False,
        progress: Progress | None = None,
        by: str = "",
    ) -> LoadReport | Refusal:
        """Take a file's rows: all, or with `take_good` those that are good; else none. `by`: who does."""
        collected = _collect(kind, data)
        if isinstance(collected, Refusal):
            return collected
        report, rows = collected.report, collected.rows
        if (report.good < report.rows and not take_good) or not rows:
            return report
        if kind == "staff":
            rows = self._hash_pins(rows, progress)
        if kind == "customers" and self._customers is not None:
            customers = {key: row for key, row in rows.items() if isinstance(row, CustomerRow)}
            changed = self._customers.load(customers)
            version = self._feeds.versions()[KINDS[kind].feed]
            return msgspec.structs.replace(report, taken=True, changed=changed, version=version)
        if kind == "parameters" and self._parameters is not None:
            made = self._parameters.load(list(_drafts(rows).values()), by=by)
            if isinstance(made, Refusal):
                return made
            return msgspec.structs.replace(report, taken=True, changed=made[0], version=made[1])
        changed, version = self._feeds.put(KINDS[kind].feed, rows)
        return msgspec.structs.replace(report, taken=True, changed=changed, version=version)

    def _hash_pins(
        self, rows: Mapping[str, msgspec.Struct], progress: Progress | None
    ) -> dict[str, msgspec.Struct]:
        """A PIN that is the same keeps its hash, so that the row keeps its version."""
        known = self._feeds.rows("staff")
        hashed: dict[str, msgspec.Struct] = {}
        for done, (key, row) in enumerate(rows.items(), 1):
            assert isinstance(row, StaffRow), "a staff file has staff"
            if row.pin_hash.startswith(_PLAIN):
                pin = row.pin_hash.removeprefix(_PLAIN)
                former = msgspec.json.decode(known[key], type=StaffRow).pin_hash if key in known else ""
                keep = former and self._fits(former, pin)
                row = msgspec.structs.replace(row, pin_hash=former if keep else self._hasher.hash(pin))
            hashed[key] = row
            if progress is not None:
                progress(done, len(rows))
        return hashed

    def _is_pin(self, pin_hash: str, given: str) -> bool:
        """Whether what a file gives is the PIN of that hash, or the hash itself."""
        if given.startswith(_PLAIN):
            return self._fits(pin_hash, given.removeprefix(_PLAIN))
        return given == pin_hash

    def _fits(self, pin_hash: str, pin: str) -> bool:
        try:
            return self._hasher.verify(pin_hash, pin)
        except (VerificationError, InvalidHashError):
            return False


def _drafts(rows: Mapping[str, msgspec.Struct]) -> dict[str, Draft]:
    return {key: row for key, row in rows.items() if isinstance(row, Draft)}


def _without_revision(body: str) -> str:
    """As a file says it."""
    row = msgspec.json.decode(body, type=CustomerRow)
    return msgspec.json.encode(msgspec.structs.replace(row, revision=1)).decode()


class _Collected(NamedTuple):
    """What a file holds: its report, its good rows by key, and where and how each was written."""

    report: LoadReport
    rows: Mapping[str, msgspec.Struct]
    lines: Mapping[str, CsvRow]


def _collect(kind: str, data: bytes) -> _Collected | Refusal:
    known = KINDS.get(kind)
    if known is None:
        return Refusal("csv.kind", f"{kind[:40]!r} cannot be loaded. There are: {', '.join(KINDS)}.")
    file = read_csv(data, known.required, known.optional)
    if isinstance(file, Refusal):
        return file
    rows: dict[str, msgspec.Struct] = {}
    bad: list[BadRow] = []
    first_seen: dict[str, CsvRow] = {}
    for row in file.rows:
        try:
            key, body = _read(known, row)
            if key in first_seen:
                raise Wrong(known.required[0], f"the same as in line {first_seen[key].line}")
            first_seen[key], rows[key] = row, body
        except Wrong as wrong:
            bad.append(BadRow(line=row.line, column=wrong.column, reason=wrong.reason))
    return _Collected(_report(kind, file, rows, bad), rows, first_seen)


def _read(kind: Kind, row: CsvRow) -> tuple[str, msgspec.Struct]:
    if row.problem:
        raise Wrong("", row.problem)
    return kind.read(row.fields)


def _report(kind: str, file: CsvFile, rows: Mapping[str, msgspec.Struct], bad: list[BadRow]) -> LoadReport:
    return LoadReport(
        kind=kind,
        rows=len(file.rows),
        good=len(rows),
        bad=tuple(bad[:BAD_ROWS_SHOWN]),
        unknown_columns=file.unknown_columns,
        taken=False,
    )
