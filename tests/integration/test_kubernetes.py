"""The manifests are what Kubernetes accepts, and agree with the code in every name, port, path and topic."""

import copy
import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cryptography.fernet import Fernet
from typer.main import get_command

from libs.contracts import topics
from libs.eventlog.brokers import MECHANISM
from libs.eventlog.kafka_topics import settings_of
from libs.mailbox.addresses import permitted
from libs.runtime import settings
from libs.runtime.health import PATHS
from libs.runtime.service import GRACE_SECONDS
from libs.runtime.settings import PREFIX, Settings
from services.cli import app as cli
from tests.architecture.test_deploy import SERVICES, SETTINGS
from tests.architecture.tree import ROOT
from tests.integration.manifests import (
    Manifest,
    Pod,
    environment,
    named,
    of_kind,
    ours,
    overlay,
    pods,
    selects,
    text,
    unknown_to_keda,
    unknown_to_strimzi,
)

OVERLAYS = ("dev", "production")
CUSTOM = {  # their operators define them
    ("kafka.strimzi.io/v1", "Kafka"),
    ("kafka.strimzi.io/v1", "KafkaNodePool"),
    ("kafka.strimzi.io/v1", "KafkaTopic"),
    ("kafka.strimzi.io/v1", "KafkaUser"),
    ("clickhouse.altinity.com/v1", "ClickHouseInstallation"),
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("keda.sh/v1alpha1", "TriggerAuthentication"),
}
# Pods that others make, with the labels that they give them, and their ports; Kafka's is that of its listener.
KAFKA = {"strimzi.io/cluster": "mailtide", "strimzi.io/kind": "Kafka"}
BY_OPERATORS = [
    ({"clickhouse.altinity.com/chi": "mailtide"}, {8123}),
    ({"acme.cert-manager.io/http01-solver": "true"}, {8089}),  # cert-manager's, pkg/issuer/acme/http
]
DNS, SUBMISSION = {("UDP", 53), ("TCP", 53)}, {("TCP", 465), ("TCP", 587)}
STRIMZI = ("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser")
# All of it was held to the definition of clickhouse-operator 0.25.6 on 2026-11-23, which no registry has: look one more
# up there first.
FIELDS = {
    "ClickHouseInstallation": {
        "configuration.clusters.layout.replicasCount",
        "configuration.clusters.layout.shardsCount",
        "configuration.clusters.name",
        "configuration.users",
        "defaults.templates.dataVolumeClaimTemplate",
        "defaults.templates.podTemplate",
        "templates.podTemplates.name",
        "templates.podTemplates.spec",
        "templates.volumeClaimTemplates.name",
        "templates.volumeClaimTemplates.reclaimPolicy",
        "templates.volumeClaimTemplates.spec",
    },
}
TRIGGER = {  # its definition leaves these open; they stand in KEDA's code (pkg/scalers/kafka_scaler.go)
    "bootstrapServers", "consumerGroup", "topic", "lagThreshold", "offsetResetPolicy", "sasl", "tls",
}  # fmt: skip
CONSUMED = {  # what each service reads in its group
    "scanner": {topics.COMMANDS.name, topics.FOLDER_SCANS.name},
    "copier": {topics.WORK_ITEMS.name},
    "aggregator": {topics.PROGRESS.name, topics.COMMANDS.name},
}

pytestmark = pytest.mark.timeout(600)  # the first one builds kustomize, a minute on two cores


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return overlay(request.param)


@pytest.fixture
def production() -> list[Manifest]:
    return overlay("production")


def test_every_manifest_fits_the_schema_of_its_kind(manifests: list[Manifest]) -> None:
    for one in manifests:
        if (one["apiVersion"], one["kind"]) not in CUSTOM:
            kubernetes_validate.validate(one, "1.37", strict=True)


def test_an_unknown_field_would_be_found() -> None:
    one = named(overlay("dev"), "Deployment", "mailtide-api")
    wrong = one | {"spec": one["spec"] | {"replica": 2}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def test_everything_is_in_one_namespace_that_enforces_restricted_pods(manifests: list[Manifest]) -> None:
    labels = named(manifests, "Namespace", "mailtide")["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {one["metadata"].get("namespace") for one in manifests if one["kind"] != "Namespace"} == {"mailtide"}


# ---- pods


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    for pod in pods(manifests):
        assert_restricted(pod.spec)
    for one in of_kind(manifests, "ClickHouseInstallation"):
        for template in one["spec"]["templates"]["podTemplates"]:
            assert_restricted(template["spec"])
    for one in of_kind(manifests, "Kafka"):
        kafka, entity = one["spec"]["kafka"]["template"], one["spec"]["entityOperator"]["template"]
        assert_restricted(
            kafka["pod"] | {"containers": [kafka["kafkaContainer"]], "automountServiceAccountToken": False}
        )
        containers = [entity["topicOperatorContainer"], entity["userOperatorContainer"]]
        assert_restricted(entity["pod"] | {"containers": containers, "automountServiceAccountToken": False})


def assert_restricted(spec: dict[str, Any]) -> None:
    """The profile `restricted` of the Pod Security Standards."""
    context = spec["securityContext"]
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context.get("runAsUser") != 0
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    for volume in spec.get("volumes", ()):
        assert set(volume) - {"name"} <= {"secret", "emptyDir", "configMap", "projected", "persistentVolumeClaim"}
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_our_pods_write_nothing_but_a_temporary_directory_and_say_what_they_need(manifests: list[Manifest]) -> None:
    for pod in ours(manifests):
        [container] = pod.spec["containers"]
        writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]

        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert set(writable) <= {"/tmp"}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {one["name"] for one in pod.spec["volumes"]}


def test_each_service_runs_its_own_image_and_a_command_that_exists(manifests: list[Manifest]) -> None:
    version = re.search(r'^version = "(.*)"$', text("pyproject.toml"), re.MULTILINE)
    assert version
    for pod in ours(manifests):
        [container] = pod.spec["containers"]
        service = "api" if pod.name == "mailtide-topics" else pod.name.removeprefix("mailtide-")
        command: Any = get_command(cli)
        words = iter(container["args"])
        while hasattr(command, "commands"):
            command = command.commands[next(words)]
        command.make_context("mailtide", list(words))

        assert container["image"] == f"mailtide-{service}:{version[1]}"
        if pod.name != "mailtide-topics":
            assert container["args"] == [service]


def test_a_service_starts_with_the_settings_that_its_pod_has(
    manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    secret = {
        "clickhouse-url": "http://mailtide:secret@clickhouse:8123/mailtide",
        "master-keys": Fernet.generate_key().decode(),
        "account-key": "0123456789abcdef",
        "operator-token": "0123456789abcdef",
        "smtp-url": "smtp://user:password@smtp.example.org:587",
    }
    documented = set(re.findall(r"--from-literal=([\w-]+)=", text("deploy/README.md")))
    exist = {("mailtide", key) for key in documented} | {(name, key) for name, key in made_by_strimzi(manifests)}
    for pod in ours(manifests):
        given, files = environment(pod, manifests), mounted(pod)

        assert set(given) <= SETTINGS
        with monkeypatch.context() as patch:
            for name, value in given.items():
                if name.endswith("_FILE"):
                    [(of, key)] = [
                        (of, key or value.removeprefix(f"{path}/"))
                        for path, of, key in files
                        if value == path or (not key and value.startswith(f"{path}/"))
                    ]
                    assert (of, key) in exist
                    (tmp_path / key).write_text(secret.get(key, "what an operator made"))
                    value = str(tmp_path / key)
                patch.setenv(name, value)
            loaded = settings.load()

        assert not loaded.embedded
        assert loaded.address == ("0.0.0.0", 8025)
        assert pod.spec["enableServiceLinks"] is False  # MAILTIDE_API_PORT is no setting


def mounted(pod: Pod) -> list[tuple[str, str, str]]:
    """Where a file of a Secret is seen, the Secret and its key; "" for all its keys, each by its name."""
    paths = {mount["name"]: mount["mountPath"] for mount in pod.spec["containers"][0]["volumeMounts"]}
    found = list[tuple[str, str, str]]()
    for volume in pod.spec["volumes"]:
        path = paths[volume["name"]]
        if "secret" in volume:
            found.append((path, volume["secret"]["secretName"], ""))
        for source in volume.get("projected", {}).get("sources", ()):
            found += [
                (f"{path}/{one['path']}", source["secret"]["name"], one["key"]) for one in source["secret"]["items"]
            ]
    return found


def made_by_strimzi(manifests: list[Manifest]) -> set[tuple[str, str]]:
    """Secrets and their keys: one for each user, and the authority of each cluster."""
    users = {(one["metadata"]["name"], "password") for one in of_kind(manifests, "KafkaUser")}
    return users | {(f"{one['metadata']['name']}-cluster-ca-cert", "ca.crt") for one in of_kind(manifests, "Kafka")}


def test_no_secret_stands_in_a_manifest(manifests: list[Manifest]) -> None:
    names = {f"{PREFIX}{name.upper()}" for name in settings.SECRETS}

    assert of_kind(manifests, "Secret") == []
    for pod in pods(manifests):
        for container in pod.spec["containers"]:
            assert not [
                one
                for one in container.get("env", ())
                if one["name"] in names or ("value" in one and "PASSWORD" in one["name"])
            ]
    for one in of_kind(manifests, "ConfigMap"):
        assert not names & set(one["data"])


def test_probes_ask_paths_that_exist_at_the_port_that_is_listened_on(manifests: list[Manifest]) -> None:
    for pod in ours(manifests):
        if pod.name == "mailtide-topics":
            continue
        [container] = pod.spec["containers"]
        [port] = container["ports"]
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}

        assert port["containerPort"] == int(environment(pod, manifests)["MAILTIDE_LISTEN"].rpartition(":")[2])
        assert {probe["port"] for probe in probes.values()} == {port["name"]}
        assert {probe["path"] for probe in probes.values()} <= set(PATHS)
        assert probes["liveness"]["path"] == "/livez"
        assert probes["readiness"]["path"] == "/readyz"


def test_a_pod_is_given_the_time_that_a_service_takes_to_stop(manifests: list[Manifest]) -> None:
    for pod in ours(manifests):
        if pod.name != "mailtide-topics":
            before = pod.spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert pod.spec["terminationGracePeriodSeconds"] >= GRACE_SECONDS + before


def test_the_job_that_makes_the_topics_is_gone_some_time_after_its_end() -> None:
    """A Job can't be changed: until it is gone, none with another image can be applied."""
    assert 0 < named(overlay("dev"), "Job", "mailtide-topics")["spec"]["ttlSecondsAfterFinished"] <= 600


def test_who_has_a_group_keeps_its_name(manifests: list[Manifest]) -> None:
    for service in CONSUMED:
        pod = next(pod for pod in ours(manifests) if pod.name == f"mailtide-{service}")
        [instance] = [one for one in pod.spec["containers"][0]["env"] if one["name"] == "MAILTIDE_INSTANCE"]

        assert pod.owner["kind"] == "StatefulSet"
        assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_each_service_is_spread_and_only_one_pod_of_it_is_taken_away_at_a_time(manifests: list[Manifest]) -> None:
    for service in SERVICES:
        pod = next(pod for pod in ours(manifests) if pod.name == f"mailtide-{service}")
        budget = named(manifests, "PodDisruptionBudget", pod.name)["spec"]
        spread = pod.spec["topologySpreadConstraints"]

        assert budget["maxUnavailable"] == 1
        assert selects(budget["selector"], pod.labels)
        assert {one["topologyKey"] for one in spread} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        assert all(selects(one["labelSelector"], pod.labels) for one in spread)


# ---- network


def test_a_service_leads_to_a_port_that_its_pods_have(manifests: list[Manifest]) -> None:
    for service in of_kind(manifests, "Service"):
        found = [pod for pod in pods(manifests) if selects({"matchLabels": service["spec"]["selector"]}, pod.labels)]
        ports = {
            port["name"]: port["containerPort"]
            for pod in found
            for one in pod.spec["containers"]
            for port in one["ports"]
        }

        assert len(found) == 1, service["metadata"]["name"]
        assert [ports[port["targetPort"]] for port in service["spec"]["ports"]] == [
            p["port"] for p in service["spec"]["ports"]
        ]


def test_the_stores_are_asked_where_they_are(manifests: list[Manifest]) -> None:
    addresses = {environment(pod, manifests)["MAILTIDE_LOG_URL"] for pod in ours(manifests)}
    [(scheme, host, port)] = {tuple(re.split("://|:", address)) for address in addresses}
    if of_kind(manifests, "Kafka"):
        [kafka] = of_kind(manifests, "Kafka")
        [listener] = kafka["spec"]["kafka"]["listeners"]
        assert (host, int(port)) == (f"{kafka['metadata']['name']}-kafka-bootstrap", listener["port"])
        assert (scheme, listener["tls"]) == ("kafka+tls", True)
        assert (
            f"@clickhouse-{of_kind(manifests, 'ClickHouseInstallation')[0]['metadata']['name']}:8123/default"
            in text("deploy/README.md")
        )
    else:
        assert named(manifests, "Service", host)["spec"]["ports"][0]["port"] == int(port)
        assert f"@{named(manifests, 'Service', 'clickhouse')['metadata']['name']}:8123/mailtide" in text(
            "deploy/README.md"
        )


def test_each_policy_selects_pods_that_there_are_and_all_ports_that_they_have(manifests: list[Manifest]) -> None:
    there = [*listening(manifests), *BY_OPERATORS]

    def ports_of(selector: dict[str, Any]) -> set[tuple[str, int]]:
        found = [ports for labels, ports in there if selects(selector, labels)]
        assert found, selector
        return {("TCP", port) for each in found for port in each}

    for policy in of_kind(manifests, "NetworkPolicy"):
        name, spec = policy["metadata"]["name"], policy["spec"]
        own = ports_of(spec["podSelector"])
        for rule in spec.get("ingress", ()):
            assert opened(rule) == own, name
            for peer in rule["from"]:
                assert "namespaceSelector" in peer or ports_of(peer["podSelector"]), name
        for rule in spec.get("egress", ()):
            for peer in rule["to"]:
                if "ipBlock" in peer:
                    mail = {("TCP", port) for port in Settings.model_fields["allow_ports"].default}
                    assert opened(rule) == (mail if name == "mailtide-mail" else SUBMISSION), name
                elif "namespaceSelector" in peer:
                    assert (name, opened(rule)) == ("mailtide-dns", DNS)
                else:
                    assert opened(rule) == ports_of(peer["podSelector"]), name


def opened(rule: dict[str, Any]) -> set[tuple[str, int]]:
    return {(each["protocol"], each["port"]) for each in rule["ports"]}


def listening(manifests: list[Manifest]) -> Iterator[tuple[dict[str, str], set[int]]]:
    """The labels of each pod, and the ports of its containers."""
    for pod in pods(manifests):
        ports = (one.get("ports", ()) for one in pod.spec["containers"])
        yield pod.labels, {port["containerPort"] for each in ports for port in each}
    for kafka in of_kind(manifests, "Kafka"):
        yield KAFKA, {listener["port"] for listener in kafka["spec"]["kafka"]["listeners"]}


def test_who_answers_for_a_certificate_is_reached_by_whom_pages_are_reached(production: list[Manifest]) -> None:
    pages = named(production, "NetworkPolicy", "mailtide-pages")["spec"]["ingress"]
    answers = named(production, "NetworkPolicy", "certificate-challenges")["spec"]
    [ingress] = of_kind(production, "Ingress")

    assert "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]
    assert [rule["from"] for rule in answers["ingress"]] == [rule["from"] for rule in pages]
    assert any(selects(answers["podSelector"], labels) and ports == {8089} for labels, ports in BY_OPERATORS)


def test_nothing_comes_in_or_goes_out_that_is_not_named(manifests: list[Manifest]) -> None:
    deny_in = named(manifests, "NetworkPolicy", "deny-in")["spec"]
    deny_out = named(manifests, "NetworkPolicy", "mailtide-deny-out")["spec"]

    assert (deny_in["podSelector"], deny_in["policyTypes"], deny_in.get("ingress")) == ({}, ["Ingress"], None)
    assert (deny_out["policyTypes"], deny_out.get("egress")) == (["Egress"], None)
    assert all(selects(deny_out["podSelector"], pod.labels) for pod in ours(manifests))


def test_mail_servers_are_reached_anywhere_but_where_the_code_refuses_to_go(manifests: list[Manifest]) -> None:
    policy = named(manifests, "NetworkPolicy", "mailtide-mail")["spec"]
    [rule] = policy["egress"]
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    excepted = [ipaddress.ip_network(each) for block in blocks for each in block["except"]]

    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    assert {port["port"] for port in rule["ports"]} == set(Settings.model_fields["allow_ports"].default)
    for network in excepted:
        assert permitted([(str(network[network.num_addresses > 1]), 993)], ()) == [], network
    for address in (
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
        "::1",
    ):
        assert any(ipaddress.ip_address(address) in network for network in excepted), address
    logging_in = {pod.name for pod in ours(manifests) if selects(policy["podSelector"], pod.labels)}
    assert logging_in == {"mailtide-api", "mailtide-scanner", "mailtide-copier"}


# ---- production: the operators' kinds, by the fields that Mailtide depends on


def test_every_topic_is_made_as_the_code_wants_it(production: list[Manifest]) -> None:
    found = {one["metadata"]["name"]: one["spec"] for one in of_kind(production, "KafkaTopic")}
    retention = timedelta(days=Settings.model_fields["retention_days"].default)

    assert {name: spec["partitions"] for name, spec in found.items()} == {
        one.name: one.partitions for one in topics.ALL
    }
    assert found[topics.COMMANDS.name]["partitions"] == found[topics.PROGRESS.name]["partitions"]
    for spec in found.values():
        assert {name: str(value) for name, value in spec["config"].items()} == settings_of(retention, spec["replicas"])
        assert spec["replicas"] > spec["config"]["min.insync.replicas"] > 1


def test_strimzi_knows_every_field_and_value_of_its_kinds(production: list[Manifest]) -> None:
    """And would find one that it does not know."""
    kafka, topic = copy.deepcopy(of_kind(production, "Kafka")[0]), copy.deepcopy(of_kind(production, "KafkaTopic")[0])
    kafka["metadata"]["name"] = topic["metadata"]["name"] = "strange"
    kafka["spec"]["kafka"]["listeners"][0]["type"] = "outside"
    kafka["spec"]["kafka"]["template"]["pod"]["securityContext"]["asRoot"] = False
    topic["spec"]["partition"] = 12

    assert unknown_to_strimzi([*of_kind(production, *STRIMZI), kafka, topic]) == [
        "Kafka/strange.Spec.Kafka.Template.Pod.SecurityContext.asRoot",
        "Kafka/strange.spec.kafka.listeners[0].type",
        "KafkaTopic/strange.Spec.partition",
    ]


def test_keda_knows_every_field_and_value_of_its_kinds(production: list[Manifest]) -> None:
    """And would find one that it does not know."""
    scaled = copy.deepcopy(of_kind(production, "ScaledObject")[0])
    scaled["metadata"]["name"] = "strange"
    scaled["spec"]["maxReplicas"] = 12
    scaled["spec"]["triggers"][0]["metadata"]["lagThreshold"] = 32
    [missing] = copy.deepcopy(of_kind(production, "TriggerAuthentication"))
    missing["metadata"]["name"] = "strange"
    del missing["spec"]["secretTargetRef"][0]["parameter"]

    found = unknown_to_keda([*of_kind(production, "ScaledObject", "TriggerAuthentication"), scaled, missing])
    assert [one.partition(": ")[0] for one in found] == [
        "ScaledObject/strange.spec.triggers.0.metadata.lagThreshold",
        "ScaledObject/strange.spec",
        "TriggerAuthentication/strange.spec.secretTargetRef.0",
    ]


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_a_kind_without_a_schema_has_only_fields_that_were_looked_up(production: list[Manifest], kind: str) -> None:
    found = {path for one in of_kind(production, kind) for path in paths(one["spec"])}

    assert found == FIELDS[kind]


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The leaves; what is below a pod or a claim is Kubernetes' own, and a user's settings are ClickHouse's."""
    if isinstance(value, dict) and not at.endswith((".podTemplates.spec", ".volumeClaimTemplates.spec", ".users")):
        for name, each in value.items():
            yield from paths(each, f"{at}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from paths(each, at)
    else:
        yield at[1:]


def test_kafka_s_parts_belong_to_one_cluster(production: list[Manifest]) -> None:
    [kafka] = of_kind(production, "Kafka")
    for one in of_kind(production, "KafkaNodePool", "KafkaTopic", "KafkaUser"):
        assert one["metadata"]["labels"]["strimzi.io/cluster"] == kafka["metadata"]["name"]
    [pool] = of_kind(production, "KafkaNodePool")
    assert pool["spec"]["replicas"] == 3
    assert kafka["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False


def test_integrations_may_read_what_is_published_and_nothing_else(production: list[Manifest]) -> None:
    user = named(production, "KafkaUser", "mailtide-integrations")
    rules = user["spec"]["authorization"]["acls"]

    assert {rule["resource"]["name"] for rule in rules if rule["resource"]["type"] == "topic"} == {
        topics.PROGRESS.name, topics.JOB_EVENTS.name
    }  # fmt: skip
    assert {operation for rule in rules for operation in rule["operations"]} == {"Read", "Describe"}
    told, [kafka] = text("docs/integrations.md"), of_kind(production, "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    assert f'"sasl_plain_username": "{user["metadata"]["name"]}"' in told
    assert f"{kafka['metadata']['name']}-kafka-bootstrap.mailtide.svc:{listener['port']}" in told


def test_nobody_gets_to_the_brokers_without_tls_a_name_and_a_password(production: list[Manifest]) -> None:
    """Their rights are tried on a broker by test_kafka_access.py."""
    spec = named(production, "Kafka", "mailtide")["spec"]["kafka"]
    users = {user["metadata"]["name"]: user["spec"] for user in of_kind(production, "KafkaUser")}

    assert spec["authorization"] == {"type": "simple"}
    for each in [*spec["listeners"], *users.values()]:
        assert each["authentication"] == {"type": MECHANISM.lower()}
    assert {environment(pod, production)["MAILTIDE_LOG_USERNAME"] for pod in ours(production)} <= set(users)


def test_who_scales_is_a_user_of_the_brokers_of_its_own(production: list[Manifest]) -> None:
    [kafka] = of_kind(production, "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    for one in of_kind(production, "ScaledObject"):
        [trigger] = one["spec"]["triggers"]
        given = named(production, "TriggerAuthentication", trigger["authenticationRef"]["name"])["spec"]
        secrets = {each["parameter"]: (each["name"], each["key"]) for each in given["secretTargetRef"]}
        [user] = given["configMapTargetRef"]

        assert trigger["metadata"]["bootstrapServers"] == f"mailtide-kafka-bootstrap.mailtide.svc:{listener['port']}"
        assert (trigger["metadata"]["tls"], trigger["metadata"]["sasl"]) == ("enable", "scram_sha512")
        username = named(production, "ConfigMap", user["name"])["data"][user["key"]]
        assert secrets == {"password": (username, "password"), "ca": ("mailtide-cluster-ca-cert", "ca.crt")}
        assert set(secrets.values()) <= made_by_strimzi(production)


def test_services_scale_by_what_they_read_from_one_to_the_partitions(production: list[Manifest]) -> None:
    scaled = {
        one["metadata"]["name"].removeprefix("mailtide-"): one["spec"] for one in of_kind(production, "ScaledObject")
    }

    assert set(scaled) == set(CONSUMED)
    for service, spec in scaled.items():
        [trigger] = spec["triggers"]
        target = named(production, spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])

        assert set(trigger["metadata"]) == TRIGGER
        assert trigger["metadata"]["topic"] in CONSUMED[service]
        assert trigger["metadata"]["consumerGroup"] == target["metadata"]["name"] == f"mailtide-{service}"
        assert "replicas" not in target["spec"]
        partitions = {one.partitions for one in topics.ALL if one.name == trigger["metadata"]["topic"]}
        assert (spec["minReplicaCount"], {spec["maxReplicaCount"]}) == (1, partitions)


def test_the_ingress_passes_every_page_and_route_and_nothing_for_operators(production: list[Manifest]) -> None:
    [ingress] = of_kind(production, "Ingress")
    annotations, spec = ingress["metadata"]["annotations"], ingress["spec"]
    [rule] = spec["rules"]
    rules = [(one["path"], one["pathType"]) for one in rule["http"]["paths"]]

    def passes(path: str) -> bool:
        return any(path == each or (kind == "Prefix" and path.startswith(f"{each}/")) for each, kind in rules)

    from services.api import abilities, accounts, integrations, jobs, page, projects, streams

    modules = (abilities, accounts, integrations, jobs, page, projects, streams)
    routes = {route.path for module in modules for route in module.router.routes}  # pyright: ignore
    assert len(routes) > 10
    assert [path for path in routes | {"/openapi.json"} if not passes(path)] == []
    assert [path for path in PATHS if passes(path)] == []
    [advice] = re.findall(r"let the reverse proxy pass (.*?), nothing else", text("docs/operations.md"), re.DOTALL)
    assert {path for path, _ in rules} == {path.rstrip("/") or "/" for path in re.findall(r"`([^`]+)`", advice)}
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) >= 3600
    assert spec["tls"][0]["hosts"] == [rule["host"]]
    for one in rule["http"]["paths"]:
        backend = one["backend"]["service"]
        ports = named(production, "Service", backend["name"])["spec"]["ports"]
        assert backend["port"]["name"] in {port["name"] for port in ports}
    assert environment(next(iter(ours(production))), production)["MAILTIDE_PUBLIC_URL"] == f"https://{rule['host']}"


def test_the_ingress_says_for_whom_it_asks_and_nobody_outside_does(production: list[Manifest]) -> None:
    given = environment(next(iter(ours(production))), production)["MAILTIDE_TRUSTED_PROXIES"]
    trusted = [ipaddress.ip_network(each) for each in given.split(",")]

    def believed(address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in trusted)

    assert all(map(believed, ("10.244.3.7", "172.20.0.3", "192.168.5.9", "100.64.7.1", "fd00:10:244::7")))
    assert not any(map(believed, ("203.0.113.1", "2001:db8::1", "172.32.0.1", "100.128.0.1")))


# ---- the runbook


def test_every_command_of_the_runbook_names_something_that_exists(production: list[Manifest]) -> None:
    [pool], [chi] = of_kind(production, "KafkaNodePool"), of_kind(production, "ClickHouseInstallation")
    cluster = chi["spec"]["configuration"]["clusters"][0]["name"]
    exists = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in production} | {"secret/mailtide"}
    exists |= {f"secret/{name}" for name, _ in made_by_strimzi(production)}
    exists |= {f"pod/{pod.name}-0" for pod in ours(production)}
    # as their operators name them
    exists |= {f"pod/mailtide-{pool['metadata']['name']}-0", f"pod/chi-mailtide-{cluster}-0-0-0"}
    documents = [text(name) for name in ("docs/operations.md", "docs/integrations.md", "deploy/README.md")]
    commands = "\n".join(re.findall(r"(?:kubectl|for each in) [^`\n]+", "\n".join(documents)))
    kinds = "kafka|kafkanodepool|scaledobject|secret|service|deployment|statefulset"
    used = set(re.findall(rf"\b(?:{kinds})/[\w-]+", commands))
    used |= {f"pod/{pod}" for pod in re.findall(r"(?:exec|delete pod) ([\w-]+-0)\b", commands)}

    assert len(used) > 8
    assert used <= exists
    for path in re.findall(r"-[kf] (deploy/\S+)", commands):
        assert (ROOT / path).exists(), path
    containers = {one["name"] for pod in ours(production) for one in pod.spec["containers"]}
    assert containers == set(re.findall(r"set image \S+ (\w+)=", commands))


def test_an_upgrade_takes_every_service_those_first_that_read_what_others_write() -> None:
    [order] = re.findall(r"^for each in (.*); do$", text("docs/operations.md"), re.MULTILINE)

    assert re.findall(r"mailtide-(\w+)", order) == ["aggregator", "scanner", "copier", "api"]


def test_what_has_to_be_there_before_is_said(production: list[Manifest]) -> None:
    """Namespaces that policies name, the issuer of certificates, and each place of a name that is to be changed."""
    told = text("deploy/README.md")
    rows = re.findall(r"^\| ([^|]*) \| ([^|]*) \|", told, re.MULTILINE)
    policies = str(of_kind(production, "NetworkPolicy"))
    namespaces = set(re.findall(r"'kubernetes.io/metadata.name': '([\w-]+)'", policies))
    [ingress] = of_kind(production, "Ingress")
    issuer = ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]
    settings_to_change = {
        name
        for one in of_kind(production, "ConfigMap")
        for name, value in one["data"].items()
        if "example.org" in value
    }

    assert {"kube-system", "ingress-nginx", "monitoring", "clickhouse-operator"} == namespaces
    assert namespaces <= {column.strip("`") for _, column in rows}
    assert any(f"ClusterIssuer `{issuer}`" in what for what, _ in rows)
    [advice] = re.findall(r"^Put your own names.*?\n\n", told, re.MULTILINE | re.DOTALL)
    assert settings_to_change == set(re.findall(r"`(MAILTIDE_\w+)`", advice))


def test_prometheus_finds_every_service_and_names_it_as_the_alerts_do(production: list[Manifest]) -> None:
    [scrape] = yaml.safe_load(text("deploy/monitoring/scrape.yaml"))["scrape_configs"]
    keep, job, _ = scrape["relabel_configs"]

    def found(pod: Pod, labels: list[str]) -> str:
        plain = {re.sub("[^a-z]", "_", name): each for name, each in pod.labels.items()}
        known = {f"__meta_kubernetes_pod_label_{name}": each for name, each in plain.items()}
        [port] = pod.spec["containers"][0].get("ports", [{"name": ""}])
        known["__meta_kubernetes_pod_container_port_name"] = port["name"]
        return ";".join(known.get(label, "") for label in labels)

    kept = [pod for pod in ours(production) if found(pod, keep["source_labels"]) == keep["regex"]]
    assert {found(pod, job["source_labels"]) for pod in kept} == {f"mailtide-{service}" for service in SERVICES}
    assert scrape["kubernetes_sd_configs"][0]["namespaces"]["names"] == ["mailtide"]
