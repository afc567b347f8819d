"""Whether an assignment is there, where an app has more of them than Graph lists on a page."""

from collections.abc import Iterator

import pytest

from graph.client import GraphClient
from revocation.actions import create_assignment
from revocation.actions.base import NOT_YET, Verdict
from revocation.models import RevocationStep
from tests.graph.scripted import Microsoft, Reply, problem
from tests.sandbox_client import CONTOSO

APP = "eeeeeeee-0000-4000-8000-000000000001"
PERSON = "aaaaaaaa-0000-4000-8000-000000000001"
ROLE = "77f3a031-c388-4f99-b373-dc68676a979e"
LIST = f"/servicePrincipals/{APP}/appRoleAssignedTo"
LINK = f"https://graph.microsoft.com/v1.0{LIST}?$skiptoken=two"
OTHERS = [
    {"id": f"other-{n}", "principalId": f"bbbbbbbb-0000-4000-8000-{n:012d}", "appRoleId": ROLE} for n in range(999)
]
OURS = {"id": "new-id", "principalId": PERSON, "appRoleId": ROLE, "resourceId": APP}

action = create_assignment.CreateAssignment()


@pytest.fixture
def microsoft(settings) -> Iterator[Microsoft]:
    with Microsoft() as running:
        settings.SANDBOX_URL = running.url
        yield running


def step(**fields) -> RevocationStep:
    params = {"resource_id": APP, "principal_id": PERSON, "app_role_id": ROLE}
    return RevocationStep(action=action.name, params=params, **fields)


def ask(call):
    (answer,) = GraphClient(CONTOSO, priority="high").batch([call])
    return answer


def batch(status: int, body: dict) -> Reply:
    return Reply(body={"responses": [{"id": "0", "status": status, "body": body}]})


def test_it_is_found_behind_the_first_page(microsoft):
    first = {"value": OTHERS, "@odata.nextLink": LINK}
    microsoft.answers(batch(200, first), Reply(body=first), Reply(body={"value": [OURS]}))
    asked = step()

    assert action.looked(asked, ask(action.look(asked))).verdict == Verdict.VERIFIED
    assert asked.observed == {"id": "new-id"}


def test_it_is_proved_by_the_id_that_the_answer_named(microsoft):
    microsoft.answers(batch(201, OURS), batch(404, problem("Request_ResourceNotFound")), batch(200, OURS))
    made = step()

    assert action.read(made, ask(action.call(made))).verdict == Verdict.ACCEPTED
    assert action.proved(made, ask(action.proof(made))) == NOT_YET  # not replicated yet
    assert action.proved(made, ask(action.proof(made))).verdict == Verdict.VERIFIED

    urls = [one.body["requests"][0]["url"] for one in microsoft.graph_requests]
    assert urls == [LIST, f"{LIST}/new-id", f"{LIST}/new-id"]
