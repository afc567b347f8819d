"""A list above a megabyte is a worker's: its sender looks on, and nobody else waits."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from accounts.tenancy import tenant_context
from revocation import nudges, tasks
from revocation.lists import parser, reading
from revocation.models import ListDraft, ListUpload
from revocation.spine import sweeper
from tests.revocation.copies import in_copy
from tests.revocation.pages import url

pytestmark = pytest.mark.django_db
FILLER = "somebody.who.is.not.there@contoso.example\n"
ADELE = "adele@contoso.example"


@pytest.fixture
def asked(monkeypatch) -> list[tuple]:
    """What workers are asked to read. Nobody does by itself."""
    sent = []
    monkeypatch.setattr(nudges, "_send", lambda task, *ids: sent.append((task, *map(str, ids))))
    return sent


@pytest.fixture
def send(client, sign_in, henrietta, contoso, entra, asked, django_capture_on_commit_callbacks):
    in_copy(contoso, "Adele Vance", upn=ADELE)
    sign_in(client, henrietta)

    def send(text: str, **more):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(url("new"), {"source": "paste", "recipe": "sign_out", "text": text} | more)

    return send


def long(text: str = "") -> str:
    return text + FILLER * (reading.LONG // len(FILLER) + 1)


def upload() -> ListUpload:
    return ListUpload.objects.get()


def work(asked: list) -> None:
    for task, *ids in asked:
        if task == "revocation.tasks.read_list":
            tasks.read_list(*ids)


def test_a_worker_reads_it_while_its_sender_looks_on(client, send, asked, contoso):
    answer = send(long(f"{ADELE}\n"))

    page = client.get(answer["Location"])
    assert "Lines read: 0 of" in page.text
    work(asked)
    preview = client.get(client.get(answer["Location"])["Location"], {"show": "all"})
    assert preview.context["included"] == 1
    assert preview.context["draft"].counts["duplicate"] > 20_000
    with tenant_context(contoso.pk):
        assert bytes(upload().content) == b""


def test_a_page_that_is_open_goes_on_by_itself(client, send, asked):
    where = send(long())["Location"]
    part = client.get(where, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 2s"' in part.text
    assert "<html" not in part.text

    work(asked)

    assert "/lists/" in client.get(where, headers={"HX-Request": "true"})["HX-Redirect"]


def test_a_file_too(client, send, asked):
    file = SimpleUploadedFile("people.csv", ("\ufeffuserPrincipalName\n" + long(f"{ADELE}\n")).encode("utf-16"))
    where = send("", source="file", file=file)["Location"]

    work(asked)

    assert client.get(client.get(where)["Location"]).context["included"] == 1


def test_a_short_one_is_read_at_once(send, asked):
    assert "/lists/" in send(f"{ADELE}\n")["Location"]
    assert asked == []


def test_what_cannot_be_taken_says_why(client, send, asked, monkeypatch):
    monkeypatch.setattr(parser, "MAX_ENTRIES", 10)
    where = send(long())["Location"]

    work(asked)

    page = client.get(where)
    assert "more than 10 entries" in page.text
    assert "hx-get" not in page.text.partition('id="reading"')[2].partition(">")[0]


def test_what_a_worker_lost_is_read_by_another(send, asked, contoso, monkeypatch):
    send(long(f"{ADELE}\n"))
    monkeypatch.setattr(reading, "_become_draft", lambda *args: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        work(asked)
    monkeypatch.undo()
    with tenant_context(contoso.pk):
        tasks.read_list(str(contoso.pk), str(upload().pk))  # came twice: the first one's lease holds
        assert (upload().draft, upload().attempts) == (None, 1)
        assert list(ListUpload.objects.lost()) == []
        ListUpload.objects.update(taken_until=timezone.now() - timedelta(seconds=1))
        again = []
        monkeypatch.setattr(nudges, "read", lambda tenant, pk: again.append(pk))

        sweeper._look_after(contoso.pk)

        tasks.read_list(str(contoso.pk), str(again[0]))
        assert upload().draft


def test_after_three_times_it_is_given_up(client, send, asked, contoso):
    where = send(long())["Location"]
    with tenant_context(contoso.pk):
        ListUpload.objects.update(attempts=3, taken_until=timezone.now() - timedelta(seconds=1))

    work(asked)

    assert "could not be read, three times" in client.get(where).text


def test_whoever_lost_their_role_meanwhile_gets_no_list(client, send, asked, contoso, henrietta):
    where = send(long(f"{ADELE}\n"))["Location"]
    with tenant_context(contoso.pk):
        Membership.objects.filter(pk=henrietta.membership.pk).update(roles=["auditor"])

    work(asked)

    assert client.get(where).status_code == 403
    with tenant_context(contoso.pk):
        assert "any more" in upload().trouble
        assert not ListDraft.objects.exists()


def test_nobody_else_sees_it(client, send, asked, sign_in, megan):
    where = send(long())["Location"]
    sign_in(client, megan)

    assert client.get(where).status_code == 404
    assert reverse("revocation:reading", args=["contoso", where.split("/")[-2]]) == where
