"""Until when Microsoft believes the portal's own certificate: sign-ins and changes end with it."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.utils import timezone

SOON = timedelta(days=30)


def expires_at() -> datetime | None:
    """When the configured certificate ends; None where there is none, or none that can be read."""
    if not settings.ENTRA_CERTIFICATE:
        return None
    try:
        found = x509.load_pem_x509_certificate(Path(settings.ENTRA_CERTIFICATE).read_bytes())
    except (OSError, ValueError):
        return None
    return found.not_valid_after_utc


def warning() -> str:
    """A sentence where the certificate has ended or ends soon; empty otherwise."""
    ends = expires_at()
    if ends is None or ends - timezone.now() > SOON:
        return ""
    if ends <= timezone.now():
        return f"The portal's certificate ended on {ends:%Y-%m-%d}: Microsoft refuses sign-ins and changes."
    return f"The portal's certificate ends on {ends:%Y-%m-%d}. After that, Microsoft refuses sign-ins and changes."
