"""The page of prepared gift cards: a batch is made, and its file is in the answer, once (GC11)."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile

from holdfast.core.refusals import Refusal
from holdfast.hq.central.cards import BadFile, Made
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.central.view import clean, words
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services
from holdfast.hq.web.uploads import UPLOAD_BYTES_MAX

SECTION = "/cards"
MADE_MAX = 20_000
"""So many at once on the page; more by the command line."""
_FORM_ROOM_BYTES = 64 << 10


@get("/cards/prepared", include_in_schema=False)
async def show_prepared(request: WebRequest, services: Given) -> Response[str]:
    if request.headers.get("HX-Target") == "batches":
        return fragment(services, "central/batches.html", **await _values(services))
    return await _show(request, services)


@post("/cards/prepared", include_in_schema=False, status_code=200)
async def make(request: WebRequest, services: Given) -> Response[Any]:
    """The file is this answer, and is kept nowhere: it cannot be fetched again."""
    form = await request.form()
    typed, currency = clean(form.get("count"), 12), clean(form.get("currency"), 3)
    if not (typed.isascii() and typed.isdecimal() and 0 < int(typed) <= MADE_MAX):
        error = f"Make 1 to {MADE_MAX:,} cards here; up to 100,000 by holdfast hq gift-cards make."
        return await _show(request, services, error=error, status=422)
    written: list[bytes] = []
    book, by, with_pins = services.head_office.cards, request.state.session.admin, form.get("pin") == "yes"
    made = await services.pages.run(
        lambda: book.make(int(typed), currency, written.append, with_pins=with_pins, by=by)
    )
    if isinstance(made, Refusal):
        return await _show(request, services, error=made.sentence, status=422)
    services.wakeups.wake(PAGES)
    headers = {
        "Content-Disposition": f'attachment; filename="gift-cards-{made.batch}.csv"',
        "Cache-Control": "no-store",
    }
    return Response(written[0], media_type="text/csv; charset=utf-8", headers=headers)


@post(
    "/cards/prepared/load",
    include_in_schema=False,
    status_code=200,
    request_max_body_size=UPLOAD_BYTES_MAX + _FORM_ROOM_BYTES,
)
async def load(request: WebRequest, services: Given) -> Response[str]:
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _show(request, services, error="Choose a file.", status=422)
    data, book, by = await file.read(), services.head_office.cards, request.state.session.admin
    loaded: Made | BadFile | Refusal = await services.pages.run(lambda: book.load(data, by=by))
    if isinstance(loaded, Refusal):
        return await _show(request, services, error=loaded.sentence, status=422)
    if isinstance(loaded, BadFile):
        error = f"Nothing was taken: {loaded.bad_rows:,} of {loaded.rows:,} rows are bad."
        return await _show(request, services, error=error, bad=loaded, status=422)
    services.wakeups.wake(PAGES)
    notice = f"{loaded.cards:,} gift cards in {loaded.currency} are prepared."
    return await _show(request, services, notice=notice)


@post("/cards/prepared/block", include_in_schema=False, status_code=200)
async def block(request: WebRequest, services: Given) -> Response[str]:
    form = await request.form()
    batch, reason = clean(form.get("batch"), 64), clean(form.get("reason"))
    book, by = services.head_office.cards, request.state.session.admin
    done = await services.pages.run(lambda: book.block_unsold(batch, by=by, reason=reason))
    if isinstance(done, Refusal):
        return await _show(request, services, error=done.sentence, status=409)
    services.wakeups.wake(PAGES)
    return await _show(request, services, notice=f"{done:,} unsold cards are blocked.")


routes = Router("/", route_handlers=[show_prepared, make, load, block], before_request=require_session)


async def _values(services: Services) -> dict[str, Any]:
    return {"batches": await services.pages.run(services.head_office.cards.batches)}


async def _show(
    request: WebRequest,
    services: Services,
    *,
    error: str = "",
    notice: str = "",
    bad: BadFile | None = None,
    status: int = 200,
) -> Response[str]:
    stores = await services.pages.run(services.head_office.enrolment.stores)
    return await page(
        request,
        services,
        "central/prepared.html",
        SECTION,
        status,
        error=error,
        notice=notice,
        bad=bad,
        currencies=sorted({store.currency for store in stores}),
        made_max=MADE_MAX,
        **words(),
        **await _values(services),
    )
