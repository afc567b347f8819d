"""What tests say to the sandbox: start it, look into it, and make it misbehave."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from requests import Response

PROJECT = Path(__file__).resolve().parent.parent
CONTOSO = "11111111-1111-4111-8111-111111111111"
FABRIKAM = "22222222-2222-4222-8222-222222222222"
PORTAL_CLIENT_ID = "c0c0c0c0-0000-4000-8000-000000000001"
PORTAL_SECRET = "sandbox-portal-secret"


class Sandbox:
    """A running sandbox process, spoken to over HTTP like everybody else does."""

    def __init__(self, url: str, *options: str, log: Path | None = None) -> None:
        self.url = url
        self.port = int(url.rsplit(":", 1)[1])
        self.http = requests.Session()
        self.http.trust_env = False
        self._options = options
        self._log = log
        self._process: subprocess.Popen | None = None

    # --- process ---------------------------------------------------------------------------------

    def start(self, timeout: float = 30) -> "Sandbox":
        output = self._log.open("wb") if self._log else subprocess.DEVNULL
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(self.port), *self._options],
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT if self._log else subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        )
        if self._log:
            output.close()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with status {self._process.returncode}: {self.log_tail()}")
            try:
                if self.http.get(f"{self.url}/_sandbox/world", timeout=10).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError(f"the sandbox did not answer within {timeout} s: {self.log_tail()}")

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.http.close()

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log and self._log.exists() else "(no log kept)"

    # --- control ---------------------------------------------------------------------------------

    def control(self, method: str, path: str, **options: Any) -> Any:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", timeout=30, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def reset(self) -> None:
        """Put the world back as it was at the start; faults, lag, clock and received requests are cleared."""
        self.control("POST", "reset")

    def world(self) -> dict:
        return self.control("GET", "world")

    def requests(self) -> list[dict]:
        """Every request received since the last reset, oldest first; batch items count as their own."""
        found = self.control("GET", "requests")
        return found["requests"] if isinstance(found, dict) else found

    def faults(self, *rules: dict) -> None:
        """Make requests go wrong from now on (`sandbox.faults.Fault` names the fields); none clears them."""
        self.control("POST", "faults", json={"rules": list(rules)})

    def clock(self, **change: float) -> None:
        self.control("POST", "clock", json=change)

    def lag(self, **change: float) -> None:
        self.control("POST", "lag", json=change)

    # --- reading the directory -------------------------------------------------------------------

    def token(self, tenant_id: str, client_id: str = PORTAL_CLIENT_ID, secret: str = PORTAL_SECRET) -> str:
        """An app-only Graph token, asked for as any client would."""
        answer = self.http.post(
            f"{self.url}/{tenant_id}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
                "scope": "https://graph.microsoft.com/.default",
            },
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def get(self, path: str, tenant_id: Any = CONTOSO, **options: Any) -> Any:
        """GET a Graph path, such as `users?$top=5`, as the portal's application; the JSON answer."""
        answer = self.graph("GET", path, tenant_id, **options)
        answer.raise_for_status()
        return answer.json()

    def graph(self, method: str, path: str, tenant_id: Any = CONTOSO, **options: Any) -> Response:
        tenant_id = str(getattr(tenant_id, "id", tenant_id))
        options.setdefault("headers", {})["Authorization"] = f"Bearer {self.token(tenant_id)}"
        prefix = "" if path.startswith(("v1.0/", "beta/")) else "v1.0/"
        return self.http.request(method, f"{self.url}/{prefix}{path.lstrip('/')}", timeout=30, **options)

    def all(self, path: str, tenant_id: Any = CONTOSO) -> list[dict]:
        """Every item of a Graph collection, page after page."""
        found, answer = [], self.get(path, tenant_id)
        while True:
            found += answer["value"]
            if not (following := answer.get("@odata.nextLink")):
                return found
            answer = self.get(following.split("/v1.0/", 1)[1], tenant_id)

    def grants(self, tenant_id: Any = CONTOSO) -> dict[str, dict]:
        """The tenant's permission grants, by id."""
        return {grant["id"]: grant for grant in self.all("oauth2PermissionGrants", tenant_id)}

    def allow(self, tenant_id: str, *permissions: str) -> None:
        """Give the portal further application permissions of Microsoft Graph, as an administrator's consent does."""
        apps = {one["appId"]: one for one in self.all("servicePrincipals", tenant_id) if "appId" in one}
        graph, portal = apps["00000003-0000-0000-c000-000000000000"], apps[PORTAL_CLIENT_ID]
        roles = {one["value"]: one["id"] for one in graph["appRoles"]}
        for value in permissions:
            body = {"principalId": portal["id"], "resourceId": graph["id"], "appRoleId": roles[value]}
            path = f"servicePrincipals/{portal['id']}/appRoleAssignments"
            self.graph("POST", path, tenant_id, json=body).raise_for_status()

    def user(self, tenant_id: Any, object_id: Any) -> dict:
        select = "id,displayName,userPrincipalName,accountEnabled,userType,signInSessionsValidFromDateTime"
        return self.get(f"users/{object_id}?$select={select}", tenant_id)
