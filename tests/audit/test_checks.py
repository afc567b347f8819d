"""The deployment check names a folder of heads that nothing can be written to."""

from django.core.checks import run_checks


def found() -> list[str]:
    return [message.id for message in run_checks(include_deployment_checks=True) if message.id.startswith("audit.")]


def test_a_folder_that_can_be_made_or_written_is_fine(settings, tmp_path):
    for folder in (tmp_path, tmp_path / "not" / "there" / "yet"):
        settings.AUDIT_HEADS_DIR = folder
        assert found() == []


def test_a_folder_that_cannot_be_written_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("no folder")
    settings.AUDIT_HEADS_DIR = tmp_path / "file" / "heads"
    assert found() == ["audit.W001"]


def test_a_folder_without_the_right_to_write_is_named(settings, tmp_path, monkeypatch):
    settings.AUDIT_HEADS_DIR = tmp_path
    monkeypatch.setattr("os.access", lambda path, mode: False)  # tests may run as root, who may everything
    assert found() == ["audit.W001"]
