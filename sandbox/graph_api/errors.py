"""Refusals, in Graph's envelope. https://learn.microsoft.com/graph/errors"""

from __future__ import annotations

from datetime import datetime
from typing import Any

THROTTLED = "TooManyRequests"
DEFAULTS: dict[int, tuple[str, str]] = {
    400: ("Request_BadRequest", "One or more property values specified are invalid."),
    401: ("InvalidAuthenticationToken", "Access token validation failure."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("Request_ResourceNotFound", "Resource does not exist."),
    405: ("Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
    409: ("Directory_ConcurrencyViolation", "Concurrent requests were made to this tenant. Wait briefly and retry."),
    410: ("syncStateNotFound", "The sync state generation is not found. Start over."),
    424: ("FailedDependency", "A request this one depends on has failed."),
    429: (THROTTLED, "Please retry again later."),
    500: ("generalException", "An internal server error has occurred."),
    501: ("NotImplemented", "This operation target is not yet supported."),
    502: ("BadGateway", ""),
    503: ("serviceNotAvailable", "The service is temporarily unavailable."),
    504: ("UnknownError", ""),
}


class Refused(Exception):
    """The request is answered with an error and has changed nothing."""

    def __init__(
        self,
        status: int,
        code: str | None = None,
        message: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        target: str | None = None,
    ):
        default_code, default_message = DEFAULTS.get(status, ("UnknownError", ""))
        self.status = status
        self.code = default_code if code is None else code
        self.message = default_message if message is None else message
        self.headers = headers or {}
        self.target = target
        super().__init__(f"{status} {self.code}: {self.message}")

    def envelope(self, request_id: str, client_request_id: str, moment: datetime) -> dict[str, Any]:
        inner = {
            "date": moment.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        if self.status == 429:
            inner |= {"code": "429", "message": "Please retry after", "status": "429"}
        error: dict[str, Any] = {"code": self.code, "message": self.message, "innerError": inner}
        if self.target:
            error["details"] = [{"code": "InvalidValue", "target": self.target, "message": self.message}]
        return {"error": error}


def bad_request(message: str, *, code: str = "Request_BadRequest", target: str | None = None) -> Refused:
    return Refused(400, code, message, target=target)


def unsupported(message: str = "Unsupported Query.") -> Refused:
    return Refused(400, "Request_UnsupportedQuery", message)


def not_found(object_id: str) -> Refused:
    return Refused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def invalid_id(object_id: str) -> Refused:
    return bad_request(f"Invalid object identifier '{object_id}'.")


def no_segment(segment: str) -> Refused:
    return Refused(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def forbidden() -> Refused:
    return Refused(403)
