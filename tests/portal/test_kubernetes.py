"""deploy/kubernetes and the dashboard: the same programs as elsewhere, as safe, and figures that exist."""

import json
import re
from pathlib import Path

import pytest
import yaml

from portal import metrics

PROJECT = Path(__file__).resolve().parent.parent.parent
FOLDER = PROJECT / "deploy/kubernetes"
OBJECTS = [
    each
    for name in yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    for each in yaml.safe_load_all((FOLDER / name).read_text())
]
PODS = {
    each["metadata"]["name"]: each["spec"].get("jobTemplate", each)["spec"]["template"]["spec"]
    for each in OBJECTS
    if {"template", "jobTemplate"} & each.get("spec", {}).keys()
}
CLAIMS = {each["metadata"]["name"] for each in OBJECTS if each["kind"] == "PersistentVolumeClaim"}
COMPOSE = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text())
OWNERS = {"migrate", "archive-audit"}
SETTINGS = dict(line.split("=", 1) for line in (FOLDER / "settings.env").read_text().splitlines() if "=" in line)
PROCFILE = dict(line.split(": ", 1) for line in (PROJECT / "deploy/Procfile").read_text().splitlines() if ": " in line)


@pytest.mark.parametrize("name", sorted(PODS))
def test_nothing_runs_with_more_than_it_needs(name: str):
    pod = PODS[name]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name", ["web", "worker", "urgent", "beat"])
def test_it_runs_what_the_procfile_runs(name: str):
    command = PODS[name]["containers"][0]["command"][2]

    program = re.match(r"(?:exec )?(?:\.venv/bin/)?(\S+(?: -\w \S+)? \S+(?: worker| beat)?)", PROCFILE[name])[1]
    assert set(program.split()) <= set(command.split())


@pytest.mark.parametrize("name", ["web", "worker", "urgent", "beat", "migrate"])
def test_what_stays_is_mounted_as_in_compose(name: str):
    """The same folders, and to be written in by the same processes."""
    composed = {}
    for mount in COMPOSE["services"][name].get("volumes", []):
        volume, path, *mode = mount.split(":")
        composed[path] = (volume, mode == ["ro"])

    claimed = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in PODS[name]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    mounted = {
        mount["mountPath"]: (claimed[mount["name"]], mount.get("readOnly", False))
        for mount in PODS[name]["containers"][0]["volumeMounts"]
        if mount["name"] in claimed
    }
    assert mounted == composed


def test_every_claim_is_made_and_the_settings_name_its_folder():
    used = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in PODS.values()
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    given = COMPOSE["services"]["web"]["environment"]

    assert used == CLAIMS == {"heads", "archive"}
    for setting in ("AUDIT_HEADS_DIR", "AUDIT_ARCHIVE_DIR"):
        assert SETTINGS[setting] == given[setting]


def test_the_record_is_archived_by_a_job_of_its_own():
    [job] = [each for each in OBJECTS if each["kind"] == "CronJob"]
    pod, migrate = PODS["archive-audit"], PODS["migrate"]

    assert pod["containers"][0]["command"][2] == "exec python manage.py archive_audit"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod["containers"][0]["envFrom"] == migrate["containers"][0]["envFrom"]
    assert pod["containers"][0]["volumeMounts"] == migrate["containers"][0]["volumeMounts"]


def test_only_what_changes_the_record_knows_the_role_that_owns_the_tables():
    given = {name: [str(source) for source in pod["containers"][0]["envFrom"]] for name, pod in PODS.items()}

    assert {name for name, sources in given.items() if any("'owner'" in source for source in sources)} == OWNERS


def test_probes_ask_what_needs_no_host_name():
    web = PODS["web"]["containers"][0]

    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_settings_are_the_portals():
    known = set(re.findall(r"^#? ?([A-Z_0-9]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    named = {line.partition("=")[0] for line in (FOLDER / "settings.env").read_text().splitlines()}

    assert named <= known


def test_the_dashboard_shows_figures_that_exist_and_all_of_them():
    shown = (PROJECT / "deploy/dashboard.json").read_text()
    json.loads(shown)

    named = {re.sub("_seconds_(?:bucket|count|sum)$", "_seconds", name) for name in re.findall(r"consentry_\w+", shown)}
    assert named == set(metrics.FAMILIES)
