"""Loading a CSV file: upload, look at what is in it, then take it or leave it."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile

from holdfast.core.refusals import Refusal
from holdfast.hq.catalogue import KINDS, LoadReport
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.data.view import feed_states
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import page
from holdfast.hq.web.services import PAGES, Services
from holdfast.hq.web.uploads import UPLOAD_BYTES_MAX

_FORM_ROOM_BYTES = 64 << 10


@get("/data", include_in_schema=False)
async def show_data(request: WebRequest, services: Given) -> Response[str]:
    return await _data_page(request, services)


@post(
    "/data/preview",
    include_in_schema=False,
    status_code=200,
    request_max_body_size=UPLOAD_BYTES_MAX + _FORM_ROOM_BYTES,
)
async def preview(request: WebRequest, services: Given) -> Response[str]:
    form = await request.form()
    kind, file = str(form.get("kind", "")), form.get("file")
    if kind not in KINDS:
        return await _data_page(request, services, error="Choose what the file holds.", status=422)
    if not isinstance(file, UploadFile) or not file.filename:
        return await _data_page(request, services, error="Choose a file.", chosen=kind, status=422)
    data = await file.read()
    report = await services.pages.run(services.head_office.catalogue.preview, kind, data)
    if isinstance(report, Refusal):
        return await _data_page(request, services, error=report.sentence, chosen=kind, status=422)
    name = file.filename.replace("\x00", "")[:120]
    upload = services.uploads.keep(request.state.session.admin, kind, name, data)
    return await _preview_page(request, services, report, name, upload)


@post("/data/take", include_in_schema=False, status_code=200)
async def take(request: WebRequest, services: Given) -> Response[str]:
    form = await request.form()
    upload = services.uploads.take(str(form.get("upload", "")), request.state.session.admin)
    if upload is None:
        error = "That file is no longer here. Check it again."
        return await _data_page(request, services, error=error, status=410)
    report = await services.pages.run(
        services.head_office.catalogue.load,
        upload.kind,
        upload.data,
        take_good=form.get("take_good") == "yes",
        by=request.state.session.admin,
    )
    if isinstance(report, Refusal):
        return await _data_page(request, services, error=report.sentence, chosen=upload.kind, status=422)
    services.wakeups.wake(PAGES)
    return await _data_page(request, services, notice=_taken(report, upload.name))


routes = Router("/", route_handlers=[show_data, preview, take], before_request=require_session)


async def _data_page(
    request: WebRequest,
    services: Services,
    *,
    notice: str = "",
    error: str = "",
    chosen: str = "",
    status: int = 200,
) -> Response[str]:
    values: dict[str, Any] = {
        "kinds": KINDS,
        "feeds": await services.pages.run(feed_states, services.pool),
        "notice": notice,
        "error": error,
        "chosen": chosen,
    }
    return await page(request, services, "data/data.html", "/data", status, **values)


async def _preview_page(
    request: WebRequest, services: Services, report: LoadReport, name: str, upload: str
) -> Response[str]:
    values = {"report": report, "file_name": name, "upload": upload, "bad": report.rows - report.good}
    return await page(request, services, "data/preview.html", "/data", **values)


def _taken(report: LoadReport, name: str) -> str:
    if not report.taken:
        return f"{name}: nothing was taken."
    if not report.changed:
        return f"{name}: all {report.good:,} rows say what {report.kind} said already. Nothing changed."
    left_out = f", {report.rows - report.good:,} left out" if report.rows > report.good else ""
    return (
        f"{name}: {report.changed:,} of {report.good:,} rows are new or changed{left_out}. "
        f"{report.kind.capitalize()} are at version {report.version}; registers fetch it when next in touch."
    )
