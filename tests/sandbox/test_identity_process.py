"""`python -m sandbox` as a process: both listeners, a clean end, and words for what goes wrong."""

import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.conformance.proxy import Proxy

PROJECT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(tmp_path):
    """`start(*options)`: the process and its http port."""
    running = []

    def start(*options):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(port), *options],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process, port

    yield start
    for process in running:
        process.kill()
        process.communicate()


def answers(port, timeout=30):
    deadline = time.monotonic() + timeout
    with requests.Session() as http:
        http.trust_env = False
        while time.monotonic() < deadline:
            try:
                return http.get(f"http://127.0.0.1:{port}/organizations/discovery/v2.0/keys", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.05)
    raise AssertionError("the sandbox did not answer")


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told_to(start, name):
    process, port = start()
    assert answers(port).ok

    process.send_signal(name)

    output, _ = process.communicate(timeout=15)
    assert process.returncode == 0, output
    assert output == f"Sandbox: http://127.0.0.1:{port}\n"


def test_it_speaks_tls_under_an_authority_of_this_machine(start, tmp_path):
    tls_port = free_port()
    _process, port = start("--tls-port", str(tls_port), "--tls-folder", str(tmp_path))
    answers(port)

    trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    names = ("localhost", "127.0.0.1", "login.microsoftonline.com", "graph.microsoft.com")
    for name in names:
        plain = socket.create_connection(("127.0.0.1", tls_port), timeout=10)
        with trusted.wrap_socket(plain, server_hostname=name) as secured:
            assert secured.version() in ("TLSv1.2", "TLSv1.3")
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600


def test_microsofts_names_are_led_to_it_by_the_proxy_and_no_other_name_anywhere(start, tmp_path):
    """For clients that compare the issuer with the address they asked; see tests/conformance/README.md."""
    tls_port = free_port()
    _process, port = start("--tls-port", str(tls_port), "--tls-folder", str(tmp_path))
    answers(port)

    with Proxy(tls_port) as proxy, requests.Session() as http:
        http.trust_env, http.proxies, http.verify = False, {"https": proxy.url}, str(tmp_path / "ca.pem")
        authority = "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0"
        assert http.get(f"{authority}/.well-known/openid-configuration", timeout=10).json()["issuer"] == authority
        assert http.get("https://graph.microsoft.com/v1.0/users", timeout=10).status_code == 401
        assert http.get("https://management.azure.com/metadata/endpoints", timeout=10).json()["name"] == "AzureCloud"
        with pytest.raises(requests.exceptions.ProxyError):
            http.get("https://elsewhere.example/", timeout=10)

    assert proxy.refused == {"elsewhere.example"}


def test_a_national_cloud_is_an_option(start):
    _process, port = start("--cloud", "china")
    answers(port)

    with requests.Session() as http:
        http.trust_env = False
        path = f"http://127.0.0.1:{port}/contoso.example/v2.0/.well-known/openid-configuration"
        assert http.get(path, timeout=10).json()["issuer"].startswith("https://login.partner.microsoftonline.cn/")


def test_a_port_in_use_is_said_in_one_line(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process, _port = start("--port", str(taken.getsockname()[1]))

        output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert output.startswith("Port ")
    assert "Traceback" not in output


def test_it_listens_to_this_machine_only(start):
    process, port = start()
    answers(port)

    listening = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]

    local = [line.split()[1] for line in listening if line.split()[1].endswith(f":{port:04X}")]
    assert local
    assert {one.split(":")[0] for one in local} == {"0100007F"}


@pytest.mark.parametrize("options", [["--time-scale", "0"], ["--profile", "huge"], ["--port", "x"]])
def test_options_that_make_no_sense_are_refused(start, options):
    process, _port = start(*options)

    process.communicate(timeout=30)

    assert process.returncode == 2
