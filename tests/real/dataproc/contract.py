"""All that the program's own tests send to Dataproc and Cloud Storage, against Google's discovery documents, and all that
the fake answers.

The tests of the program (crates/cli/tests/it/dataproc; not the canaries and kills that are on Dataproc) run once with a recorder between the program and the fake. They
must pass; each request and each reply must be what Google describes; and they must send all that the program can: a
method or a field of the files that they leave out is a failure here, so that neither is ever published unchecked.
"""

from collections import Counter

from ring import avro, recorded
from ring.google_calls import Call, Judge

# Every method that the program uses, and the ways in which it uses it.
METHODS = {
    "dataproc": {
        "clusters.create", "clusters.delete", "clusters.get", "clusters.list", "jobs.cancel", "jobs.get", "jobs.list",
        "jobs.submit", "operations.get", "operations.list",
    },
    "storage": {
        "objects.get", "objects.insert:media", "objects.insert:resumable", "objects.list", "objects.media",
        "objects.piece",
    },
}  # fmt: skip

# What becomes of no body: they tell where and as whom to ask.
NOT_SENT = {
    "region", "endpoint", "storageEndpoint", "credentials.file", "credentials.json", "credentials.token",
    "credentials.impersonate", "credentials.quotaProject",
}  # fmt: skip

GROUP = {
    "numInstances": "numInstances",
    "machineType": "machineTypeUri",
    "minCpuPlatform": "minCpuPlatform",
    "image": "imageUri",
    "bootDiskType": "diskConfig.bootDiskType",
    "bootDiskSizeGb": "diskConfig.bootDiskSizeGb",
    "bootDiskProvisionedIops": "diskConfig.bootDiskProvisionedIops",
    "bootDiskProvisionedThroughput": "diskConfig.bootDiskProvisionedThroughput",
    "numLocalSsds": "diskConfig.numLocalSsds",
    "localSsdInterface": "diskConfig.localSsdInterface",
    "accelerators[].type": "accelerators[].acceleratorTypeUri",
    "accelerators[].count": "accelerators[].acceleratorCount",
}

FLEXIBLE = "config.secondaryWorkerConfig.instanceFlexibilityPolicy"

# Where each field of DataprocClusterConfig 1-*-* goes in the body of clusters.create; `?`: a parameter.
CLUSTER = {
    "name": "clusterName",
    "project": "projectId",
    "zone": "config.gceClusterConfig.zoneUri",
    "imageVersion": "config.softwareConfig.imageVersion",
    "secondaryWorkers.preemptibility": "config.secondaryWorkerConfig.preemptibility",
    "secondaryWorkers.machineTypeSelections[].machineTypes[]": f"{FLEXIBLE}.instanceSelectionList[].machineTypes[]",
    "secondaryWorkers.machineTypeSelections[].rank": f"{FLEXIBLE}.instanceSelectionList[].rank",
    "secondaryWorkers.standardCapacityBase": f"{FLEXIBLE}.provisioningModelMix.standardCapacityBase",
    "secondaryWorkers.standardCapacityPercentAboveBase":
        f"{FLEXIBLE}.provisioningModelMix.standardCapacityPercentAboveBase",
    "singleNode": "config.softwareConfig.properties.dataproc:dataproc~allow~zero~workers",
    "network.network": "config.gceClusterConfig.networkUri",
    "network.subnetwork": "config.gceClusterConfig.subnetworkUri",
    "network.internalIpOnly": "config.gceClusterConfig.internalIpOnly",
    "network.tags[]": "config.gceClusterConfig.tags[]",
    "network.metadata": "config.gceClusterConfig.metadata",
    "serviceAccount": "config.gceClusterConfig.serviceAccount",
    "serviceAccountScopes[]": "config.gceClusterConfig.serviceAccountScopes[]",
    "initializationActions[].executableFile": "config.initializationActions[].executableFile",
    "initializationActions[].timeoutSeconds": "config.initializationActions[].executionTimeout",
    "optionalComponents[]": "config.softwareConfig.optionalComponents[]",
    "properties": "config.softwareConfig.properties.spark:spark~executor~memory",
    "autoscalingPolicy": "config.autoscalingConfig.policyUri",
    "idleTtlSeconds": "config.lifecycleConfig.idleDeleteTtl",
    "maxAgeSeconds": "config.lifecycleConfig.autoDeleteTtl",
    "labels": "labels.team",
    "kmsKey": "config.encryptionConfig.kmsKey",
    "stagingBucket": "config.configBucket",
    "tempBucket": "config.tempBucket",
    "componentGateway": "config.endpointConfig.enableHttpPortAccess",
    "onFailedWorkers": "?actionOnFailedPrimaryWorkers",
    "extra": "config.gceClusterConfig.shieldedInstanceConfig.enableSecureBoot",
} | {
    f"{ours}.{field}": f"config.{theirs}.{place}"
    for ours, theirs in {
        "master": "masterConfig", "workers": "workerConfig", "secondaryWorkers": "secondaryWorkerConfig",
    }.items()
    for field, place in GROUP.items()
}  # fmt: skip

# The kinds of jobs that steps become.
JOBS = {
    "hadoopJob", "sparkJob", "pysparkJob", "sparkRJob", "sparkSqlJob", "hiveJob", "pigJob", "flinkJob",
}  # fmt: skip


def check(lab) -> None:
    exchanges = recorded.record(lab, "dataproc::", "--", "--skip=::dataproc::")
    calls, faults, broken = [], Counter(), Counter()
    judge = Judge(exchanges)
    for exchange in exchanges:
        # The fake's place for tokens is none of these services.
        if exchange.url.endswith("/token"):
            continue
        word = recorded.broken_on_purpose(exchange)
        broken[word] += word is not None
        try:
            call, wrong = judge.check(exchange, broken=word is not None)
            calls.append(call)
            faults.update(wrong)
        except ValueError as error:
            faults[f"{exchange.method} {exchange.url}: {error}"] += 1
    used = Counter(f"{call.service}:{call.name}" for call in calls)
    print(f"info  {len(calls)} calls: {dict(sorted(used.items()))}; broken on purpose: {dict(+broken)}", flush=True)
    told = "\n".join(f"{count}x {fault}" for fault, count in faults.most_common(50))
    assert not faults, f"{sum(faults.values())} faults\n{told}"
    recorded.called_all(METHODS, calls)
    check_fields(calls)


def check_fields(calls: list[Call]) -> None:
    """Fails where a published field was never sent, and where this file does not know one."""
    odd = avro.published("DataprocClusterConfig") ^ (CLUSTER.keys() | NOT_SENT)
    assert not odd, f"fields of DataprocClusterConfig 1-*-* here or there only, where do they go? {sorted(odd)}"
    launches = [call for call in calls if call.name == "clusters.create"]
    never = [
        f"`{field}` as {place}" for field, place in CLUSTER.items() if not any(sent(call, place) for call in launches)
    ]
    assert not never, "never sent with clusters.create:\n" + "\n".join(never)
    jobs = {name for call in calls if call.name == "jobs.submit" for name in call.body["job"]}
    kinds = {name for name in jobs if name.endswith("Job")}
    assert kinds == JOBS, f"jobs never submitted: {sorted(JOBS - kinds)}, unlisted: {sorted(kinds - JOBS)}"


def sent(call: Call, place: str) -> bool:
    """Whether something was sent there."""
    if place.startswith("?"):
        return call.asked(place.removeprefix("?")) is not None
    return found(call.body, place.replace("[", ".[").split("."))


def found(value, path: list) -> bool:
    """Whether there is something at a path; `~` in a word of it is a dot."""
    if not path:
        return value not in (None, "", [], {})
    word, rest = path[0].replace("~", "."), path[1:]
    if word == "[]":
        return any(found(one, rest) for one in value)
    return word in value and found(value[word], rest)
