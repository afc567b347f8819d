"""Signed heads survive full disks, killed writers and their own growth; what was not written is said to be missing."""

import logging
import resource
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import heads, services, tasks, verification
from audit.models import AuditEvent
from tests.audit.test_verification import ago  # noqa: F401 - a fixture
from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    return settings.AUDIT_HEADS_DIR


@pytest.fixture
def another(contoso):
    """Record one entry more, and export the head."""

    def write(*, exported=True):
        with tenant_context(contoso.pk):
            services.record(AuditEvent.SIGNED_IN, tenant_id=contoso.pk, actor=Actor("a", "Adele"))
            return heads.export(contoso.pk) if exported else None

    return write


@pytest.fixture
def report(contoso, folder):
    return lambda: verification.verify(contoso.pk, folder)


# --- writes that do not finish -----------------------------------------------------------------------------


def test_a_disk_that_fills_in_the_middle_of_a_head_is_no_forgery(another, report):
    path = another()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))  # the kernel writes 100 bytes, no more
    try:
        with pytest.raises(OSError, match="only a part"):
            another()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes()[-1:] != b"\n"

    assert report().ok, report()
    another()

    assert report().ok, report()
    assert any("line 2 is torn" in note for note in report().notes)
    assert heads.newest(report().tenant_id).sequence == 3


def test_killed_at_any_byte_nothing_is_lost_and_nothing_called_forged(another, report, contoso, folder):
    first = another().read_bytes()
    path = another()
    second = path.read_bytes()[len(first) :]

    for length in range(len(second) + 1):
        path.write_bytes(first + second[:length])
        with tenant_context(contoso.pk):
            heads.export(contoso.pk)
        found = heads.load(folder, contoso.pk)
        assert not found.faults, (length, found.faults)
        assert [head.sequence for head in found.heads] == [1, 2], length
        assert bool(found.notes) == (0 < length < len(second) - 1), length
    assert report().ok


def test_what_a_power_failure_leaves_is_torn_and_not_forged(another, report):
    path = another()
    path.write_bytes(path.read_bytes() + b"\0" * 300)
    another()

    assert report().ok
    assert report().notes


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace('"sequence":1', '"sequence":9'),
        lambda text: text.replace('"sequence":1', '"sequence":1,"more":0'),
        lambda text: "something else\n" + text,
        lambda text: text + "{}\n",
        lambda text: text + text,
    ],
    ids=["edited", "added to", "other words", "empty", "repeated"],
)
def test_a_whole_line_that_is_not_ours_is_forged_and_not_torn(another, report, forge):
    path = another()
    path.write_text(forge(path.read_text()))

    assert report().integrity


def test_a_file_that_cannot_be_read_proves_nothing_and_is_no_forgery(another, report):
    path = another()
    path.unlink()
    path.mkdir()

    assert not report().ok
    assert report().untouched
    assert "cannot be read" in " ".join(report().unproven)


# --- files that grow ---------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(heads, "MAX_BYTES", 700)


def files(folder):
    return sorted(path.name for path in folder.glob("*.jsonl"))


@pytest.mark.usefixtures("small")
def test_a_file_that_has_grown_is_sealed_and_the_next_one_goes_on_from_it(another, report, folder, contoso):
    for _ in range(9):
        another()

    sealed = heads.sealed_files(contoso.pk, folder)
    assert len(sealed) >= 2
    assert all(path.stat().st_size < 1500 for path in folder.glob("*.jsonl"))
    assert report().ok, report()
    assert not report().notes
    assert heads.newest(contoso.pk).sequence == 9


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (lambda paths: paths[0].write_text(paths[0].read_text().split("\n", 1)[1]), "not what was sealed"),
        (
            lambda paths: paths[0].write_text(paths[0].read_text().rsplit("\n", 2)[0] + "\n"),
            "sealed this file is missing",
        ),
        (lambda paths: paths[1].unlink(), "which is missing"),
        (lambda paths: paths[-1].write_text(paths[-1].read_text().split("\n", 1)[1]), "does not go on from"),
        (lambda paths: paths[0].write_text(paths[0].read_text() + "\n"), "is not the file that this one goes on from"),
    ],
    ids=["a line taken out", "the seal taken off", "one file taken away", "the beginning taken off", "added to"],
)
def test_a_sealed_file_that_was_touched_is_a_fault(another, report, folder, contoso, touch, said):
    while not (len(heads.sealed_files(contoso.pk, folder)) == 2 and (folder / f"{contoso.pk}.jsonl").exists()):
        another()
    path = folder / f"{contoso.pk}.jsonl"
    while len(path.read_text().splitlines()) < 2:
        another()
    touch([*heads.sealed_files(contoso.pk, folder), path])

    assert said in " ".join(report().integrity), report()


@pytest.mark.usefixtures("small")
def test_older_files_may_be_put_elsewhere(another, report, folder, contoso):
    for _ in range(9):
        another()
    heads.sealed_files(contoso.pk, folder)[0].unlink()

    assert report().ok
    assert "which is not in this folder" in " ".join(report().notes)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("step", ["sealed", "put aside"])
def test_killed_while_a_file_is_sealed_the_next_head_finds_its_place(another, report, monkeypatch, step):
    class Killed(BaseException):
        pass

    def killed(*args):
        raise Killed

    def several():
        for _ in range(9):
            another()

    write = heads._write
    another()
    with monkeypatch.context() as until:
        if step == "sealed":
            until.setattr(heads, "_put_aside", killed)
        else:  # it was put aside; the first line of the next file was not written
            until.setattr(heads, "_write", lambda path, data: write(path, data) if path.exists() else killed())
        with pytest.raises(Killed):
            several()

    assert report().ok, report()
    for _ in range(5):
        another()
    assert report().ok, report()
    assert not report().notes


def test_a_tenant_that_ended_and_came_back_goes_on(another, report, folder, contoso):
    another()
    heads.end(contoso.pk)
    assert heads.load(folder, contoso.pk).ended
    heads.end(contoso.pk)
    another()

    assert report().ok, report()
    assert not heads.load(folder, contoso.pk).ended


# --- heads that are not written ----------------------------------------------------------------------------


def test_one_tenants_failure_stops_no_other(contoso, fabrikam, folder, caplog):
    for tenant in (contoso, fabrikam):
        with tenant_context(tenant.pk):
            services.record(AuditEvent.SIGNED_IN, tenant_id=tenant.pk, actor=Actor("a", "Adele"))
    folder.mkdir()
    first = tasks.Tenant.objects.values_list("id", flat=True)[0]
    second = fabrikam.pk if first == contoso.pk else contoso.pk
    (folder / f"{first}.jsonl").mkdir()  # nothing can be appended to that

    with caplog.at_level(logging.ERROR):
        tasks.export_heads()

    assert heads.newest(second).sequence == 1
    assert str(first) in caplog.text
    assert heads.round_age() is None

    (folder / f"{first}.jsonl").rmdir()
    tasks.export_heads()
    assert heads.newest(first).sequence == 1
    assert heads.round_age() < 60


def test_how_far_heads_are_behind_is_measured(another, contoso, ago):  # noqa: F811
    def lag():
        with tenant_context(contoso.pk):
            return heads.lag(contoso.pk)

    assert (lag().entries, lag().seconds, lag().is_late) == (0, 0, False)
    ago(hours=2)
    another()
    another(exported=False)
    ago(hours=1)
    another(exported=False)
    ago()

    assert lag().entries == 2
    assert timedelta(hours=2) <= timezone.now() - lag().since < timedelta(hours=2, minutes=1)
    assert lag().is_late
    another()
    assert (lag().entries, lag().seconds, lag().is_late) == (0, 0, False)


def test_the_page_warns_of_heads_that_are_behind(client, sign_in, contoso, another, ago):  # noqa: F811
    ago(hours=2)
    another(exported=False)
    ago()
    sign_in(client, make_person(contoso, uuid4(), "Nestor Wilke", "auditor"))

    page = client.get(reverse("audit:list", args=["contoso"])).content.decode()
    check = client.get(reverse("audit:check", args=["contoso"])).content.decode()

    assert "wait to be sealed" in page
    assert "Not proven" in check
