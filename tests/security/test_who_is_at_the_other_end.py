"""TLS on the ways out, to Microsoft and to the mail server: none that is old, nobody that is not proved (ASVS V12)."""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.core.mail.backends.smtp import EmailBackend

from graph import transport
from tests.graph.test_proxy import BEARER, GRAPH, Proxy, authority

__all__ = ["authority"]
PROJECT = Path(__file__).resolve().parents[2]
HOST = "graph.microsoft.com"


def _serving(files: tuple) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_microsoft_is_asked_by_tls_1_2_at_least(authority, settings):
    old = _serving(authority)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    settings.SANDBOX_URL, settings.MICROSOFT_CA_BUNDLE = "", str(authority[0])
    easy = ssl.create_default_context(cafile=str(authority[0]))
    easy.minimum_version = ssl.TLSVersion.TLSv1_1
    easy.set_ciphers("DEFAULT:@SECLEVEL=0")
    with Proxy(old) as running:
        settings.MICROSOFT_PROXY = running.url
        with socket.create_connection(running.at, timeout=10) as way:
            way.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            assert way.recv(4096).startswith(b"HTTP/1.1 200")
            with easy.wrap_socket(way, server_hostname=HOST) as spoken:
                assert spoken.version() == "TLSv1.1", "there is a server that speaks it"

        with pytest.raises(requests.exceptions.SSLError):
            transport.session().get(GRAPH, headers=BEARER)


@pytest.fixture
def mail_server(authority) -> Iterator[tuple[str, int]]:
    """It has a certificate that nobody vouches for."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            way, _address = listening.accept()
            with (
                way,
                contextlib.suppress(ssl.SSLError),
                _serving(authority).wrap_socket(way, server_side=True) as open_,
            ):
                open_.sendall(b"220 smtp\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.mark.parametrize(
    ("url", "tls", "first_byte"),
    [
        ("smtps://u:p@mail.example:465", "False", "True"),
        ("smtps://u:p@mail.example:587", "True", "False"),
        ("smtp+tls://u:p@mail.example:587", "True", "False"),
        ("smtp+ssl://u:p@mail.example:465", "False", "True"),
    ],
)
def test_mail_is_sent_by_the_tls_that_its_port_speaks(url, tls, first_byte, tmp_path):
    program = (
        "import portal.settings as s; v = vars(s).get;"
        " print(v('EMAIL_PORT'), v('EMAIL_USE_TLS', False), v('EMAIL_USE_SSL', False))"
    )
    environment = os.environ | {"EMAIL_URL": url, "VAR_DIR": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == [url[-3:], tls, first_byte]


def test_mail_goes_to_no_server_that_is_not_proved(mail_server):
    host, port = mail_server
    server = EmailBackend(host=host, port=port, use_ssl=True, timeout=10)

    with pytest.raises(ssl.SSLCertVerificationError):
        server.open()
