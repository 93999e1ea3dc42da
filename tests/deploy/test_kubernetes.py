"""The manifests for Kubernetes: what the services need, no more rights, and nothing made up."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kubernetes.rules import WRITTEN, manifests
from streamgauge.settings import Settings, load_settings
from streamgauge_client.topics import TOPICS
from tests.deploy.rules import FILES

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy/kubernetes"
SERVICES = ("monitor", "learner", "exporter", "ingest", "notifier")


def documents(*parts: str) -> Iterator[dict[str, Any]]:
    for path in sorted(p for part in parts for p in (MANIFESTS / part).glob("*.yaml")):
        if path.name not in ("kustomization.yaml", "pods.yaml", "access.yaml"):
            yield from yaml.safe_load_all(path.read_text())


def deployment(name: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in documents("base")
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", name)
    )
    return found


def container(found: dict[str, Any]) -> dict[str, Any]:
    (only,) = found["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_started_as_it_is_anywhere_and_found_at_its_port(name: str) -> None:
    found = container(deployment(name))
    assert found["command"] == ["python", "-m", f"services.{name}"]
    assert (ROOT / "services" / name / "__main__.py").is_file()
    port = getattr(Settings(), name).port
    assert found["ports"] == [{"name": "http", "containerPort": port}]
    (service,) = (
        each
        for each in documents("base")
        if (each["kind"], each["metadata"]["name"]) == ("Service", name)
    )
    assert service["spec"]["ports"] == [{"name": "http", "port": port, "targetPort": "http"}]


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_is_one_that_there_is(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given the environment that a pod has, its files elsewhere
    monkeypatch.chdir(tmp_path)
    (shared,) = (each for each in documents("base") if each["kind"] == "ConfigMap")
    own = {each["name"]: each["value"] for each in container(deployment(name)).get("env", [])}
    (tmp_path / "redis-url").write_text("redis://ann:secret@redis:6379/0")
    for file in ("state-key", "ingest-token", "exporter-token", "exporter-operator-token"):
        (tmp_path / file).write_text(f"{file}-0123456789abcdef0123456789")
    for key, value in {**shared["data"], **own}.items():
        monkeypatch.setenv(key, value.replace("/run/secrets/streamgauge", str(tmp_path)))
    # When the settings are read, Then none is unknown, and they listen for others
    settings = load_settings()
    assert getattr(settings, name).host == "0.0.0.0"
    assert settings.redis.url.get_secret_value().startswith("redis://ann")
    assert settings.state.key is not None


def test_no_pod_may_do_more_than_it_needs() -> None:
    pods = yaml.safe_load((MANIFESTS / "base/pods.yaml").read_text())["spec"]["template"]["spec"]
    (service,) = pods["containers"]
    assert pods["automountServiceAccountToken"] is False
    assert pods["securityContext"]["runAsNonRoot"] and pods["securityContext"]["runAsUser"] == 10001
    own = service["securityContext"]
    assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
    assert own["capabilities"] == {"drop": ["ALL"]}
    probes = {each: service[f"{each}Probe"]["httpGet"]["path"] for each in _PROBES}
    assert probes == _PROBES
    # A last checkpoint and what is under way fit into the time that a pod is given to end.
    assert pods["terminationGracePeriodSeconds"] > 30
    budgets = {
        each["metadata"]["name"]
        for each in documents("base")
        if each["kind"] == "PodDisruptionBudget"
    }
    assert budgets >= {n for n in SERVICES if deployment(n)["spec"]["replicas"] > 1}


_PROBES = {"startup": "/healthz", "readiness": "/readyz", "liveness": "/livez"}


def test_the_topics_are_the_contracts() -> None:
    found = {
        each["metadata"]["name"]: each["spec"]
        for each in documents("strimzi")
        if each["kind"] == "KafkaTopic"
    }
    assert found.keys() == {topic.under() for topic in TOPICS}
    for topic in TOPICS:
        spec = found[topic.under()]
        config = spec["config"]
        assert spec["partitions"] == 12 and config["max.message.bytes"] == topic.max_message_bytes
        if topic.compacted:
            assert config["cleanup.policy"] == "compact"
        else:
            days = topic.retention_days
            assert config["retention.ms"] == (-1 if days is None else days * 86_400_000)


def test_a_user_may_read_and_write_what_the_contract_says_and_nothing_else() -> None:
    told: dict[str, tuple[set[str], set[str]]] = {}
    for each in documents("strimzi"):
        if each["kind"] != "KafkaUser":
            continue
        acls = each["spec"]["authorization"]["acls"]
        topics = [acl for acl in acls if acl["resource"]["type"] == "topic"]
        assert all(acl["resource"]["patternType"] == "literal" for acl in topics)
        told[each["metadata"]["name"].removeprefix("streamgauge-")] = (
            {acl["resource"]["name"] for acl in topics if "Read" in acl["operations"]},
            {acl["resource"]["name"] for acl in topics if "Write" in acl["operations"]},
        )
    for user, (reads, writes) in told.items():
        as_reader = {"subscriber": "anyone"}.get(user, user)
        assert reads == {t.under() for t in TOPICS if as_reader in t.consumers}, user
        assert writes == {t.under() for t in TOPICS if user in t.producers}, user
    assert told.keys() == {*SERVICES, "client", "subscriber"}


def test_the_operators_rules_are_prometheus_own() -> None:
    found = {
        each["metadata"]["name"]: each["spec"]
        for each in yaml.safe_load_all(WRITTEN.read_text())
        if each["kind"] == "PrometheusRule"
    }
    assert found == {
        f"streamgauge-{path.stem.replace('_', '-')}": yaml.safe_load(path.read_text())
        for path in FILES
    }
    # to the last comment
    assert WRITTEN.read_text() == manifests(), "run `make rules`"


def test_the_operator_calls_jobs_as_the_rules_do() -> None:
    # Given what the operator makes of a service's label, and what its Prometheus is told to make
    (scraped,) = (e for e in documents("prometheus-operator") if e["kind"] == "ServiceMonitor")
    label = scraped["spec"]["jobLabel"]
    ((relabelling,),) = (each["relabelings"] for each in scraped["spec"]["endpoints"])
    assert relabelling["sourceLabels"] == ["job"] and relabelling["targetLabel"] == "job"
    jobs = {
        relabelling["replacement"].replace("$1", each["metadata"]["labels"][label])
        for each in documents("base")
        if each["kind"] == "Service"
    }
    # Then each job that a rule asks for is one of them
    known = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    named = {each["job_name"] for each in known["scrape_configs"]}
    assert jobs == {job for job in named if job.removeprefix("streamgauge-") in SERVICES}


def test_monitors_never_outnumber_partitions() -> None:
    (scaled,) = documents("keda")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["consumerGroup"] == Settings().monitor.group
    (topic,) = (
        each
        for each in documents("strimzi")
        if each["metadata"]["name"] == trigger["metadata"]["topic"]
    )
    assert scaled["spec"]["maxReplicaCount"] <= topic["spec"]["partitions"]


@pytest.mark.parametrize("overlay", ["development", "production"])
def test_an_overlay_renders(overlay: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl")
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS / "overlays" / overlay)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert rendered.returncode == 0 and not rendered.stderr, rendered.stderr
    found = list(yaml.safe_load_all(rendered.stdout))
    deployments = [each for each in found if each["kind"] == "Deployment"]
    assert {each["metadata"]["name"] for each in deployments} == set(SERVICES)
    for each in deployments:
        only = container(each)
        assert only["readinessProbe"] and only["securityContext"] and only["resources"]
        assert only["image"].rsplit(":", 1)[0].endswith("streamgauge")
    assert len({each["metadata"]["namespace"] for each in found}) == 1
    if overlay == "production":
        users = {each["metadata"]["name"] for each in found if each["kind"] == "KafkaUser"}
        assert_each_is_somebody(deployments, users)
        (scaled,) = (each for each in found if each["kind"] == "ScaledObject")
        (trigger,) = scaled["spec"]["triggers"]
        assert trigger["metadata"]["bootstrapServers"].endswith(":9093")
        assert trigger["authenticationRef"]["name"] in {
            each["metadata"]["name"] for each in found if each["kind"] == "TriggerAuthentication"
        }


def assert_each_is_somebody(deployments: list[dict[str, Any]], users: set[str]) -> None:
    """Each service speaks to Kafka as its own user, by that user's password."""
    for each in deployments:
        name = each["metadata"]["name"]
        told = {e["name"]: e.get("value") for e in container(each)["env"]}
        user = told["STREAMGAUGE_KAFKA__SECURITY__USERNAME"]
        secrets = {
            volume["name"]: volume["secret"]["secretName"]
            for volume in each["spec"]["template"]["spec"]["volumes"]
            if "secret" in volume
        }
        assert user in users and secrets["kafka-user"] == user == f"streamgauge-{name}"
        assert told["STREAMGAUGE_KAFKA__SECURITY__PROTOCOL"] == "SASL_SSL"
