"""The way out through a proxy, also one that looks into TLS, and what a failure on that way means."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graph import transport
from tests.graph.scripted import Reply

GRAPH = "https://graph.microsoft.com/v1.0/organization"
BEARER = {"Authorization": "Bearer x"}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Proxy:
    """Takes CONNECT, and answers for the host with a certificate of its own; or lets nobody through."""

    def __init__(self, tls: ssl.SSLContext | None):
        self.asked: list[str] = []
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.at = self._socket.getsockname()
        self.url = f"http://127.0.0.1:{self.at[1]}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_error) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(_head(connection).partition("\r\n")[0])
                if self._tls is None:
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    continue
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    with self._tls.wrap_socket(connection, server_side=True) as inside:
                        _head(inside)
                        inside.sendall(ANSWER)
                except (ssl.SSLError, OSError):
                    continue  # whoever asked does not trust us


def _head(connection: socket.socket) -> str:
    read = b""
    while b"\r\n\r\n" not in read and (part := connection.recv(4096)):
        read += part
    return read.decode()


@pytest.fixture
def authority(tmp_path):
    """A certificate for Graph's host that nobody but its maker trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "graph.microsoft.com")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("graph.microsoft.com")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (tmp_path / "ca.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tmp_path / "ca.pem", tmp_path / "key.pem"


@pytest.fixture
def proxy(settings, authority) -> Iterator[Proxy]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    with Proxy(context) as running:
        settings.SANDBOX_URL = ""
        settings.MICROSOFT_PROXY = running.url
        yield running


def test_requests_go_through_the_proxy_and_its_authority_is_trusted_when_named(proxy, authority, settings):
    settings.MICROSOFT_CA_BUNDLE = str(authority[0])

    assert transport.session().get(GRAPH, headers=BEARER).json() == {}
    assert [one.rpartition(" ")[0] for one in proxy.asked] == ["CONNECT graph.microsoft.com:443"]


def test_an_authority_that_is_not_named_is_not_trusted_and_nothing_was_sent(proxy):
    with pytest.raises(requests.exceptions.SSLError) as caught:
        transport.session().get(GRAPH, headers=BEARER)

    assert transport.never_left(caught.value)


def test_what_a_proxy_does_not_let_through_was_never_sent(settings):
    with Proxy(None) as refusing:
        settings.SANDBOX_URL, settings.MICROSOFT_PROXY = "", refusing.url
        with pytest.raises(requests.exceptions.ProxyError) as caught:
            transport.session().get(GRAPH, headers=BEARER)

    assert refusing.asked
    assert transport.never_left(caught.value)


def test_the_sandbox_is_reached_past_the_proxy(microsoft, settings):
    with Proxy(None) as refusing:
        settings.MICROSOFT_PROXY, settings.MICROSOFT_CA_BUNDLE = refusing.url, "/nowhere.pem"
        microsoft.answers(Reply(body={}))

        assert transport.session().get(GRAPH, headers=BEARER).status_code == 200

    assert refusing.asked == []
