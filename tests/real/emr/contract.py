"""All that the program's own tests send to EMR, S3 and STS, against AWS's descriptions; all that the fake answers too.

The tests of the program (crates/cli/tests/it/emr) run once with a recorder between the program and the fake. They
must pass; each request and each reply must be what AWS describes; and they must send all that the program can: an
operation or a field of the files that they leave out is a failure here, so that neither is ever published unchecked.
"""

from collections import Counter

from ring import avro, aws, recorded

# Every operation that the program uses.
OPERATIONS = {
    "emr": {
        "AddJobFlowSteps", "CancelSteps", "DescribeCluster", "DescribeStep", "ListClusters", "ListSteps", "RunJobFlow",
        "TerminateJobFlows",
    },
    "s3": {"GetObject", "ListObjectsV2"},
    "sts": {"AssumeRole"},
}  # fmt: skip

# What becomes of no request's body: the region and the key are in its signature, EMR knows one type of steps, and a
# playbook's tags were never used.
NOT_SENT = {"region", "credentials.accessKeyId", "credentials.secretAccessKey"}
PLAYBOOK_NOT_SENT = NOT_SENT | {"steps[].type", "tags[].key", "tags[].value"}

EBS = {
    "ebsOptimized": "EbsConfiguration.EbsOptimized",
    "ebsBlockDeviceConfigs[].volumesPerInstance": "EbsConfiguration.EbsBlockDeviceConfigs[].VolumesPerInstance",
} | {
    f"ebsBlockDeviceConfigs[].volumeSpecification.{ours}": (
        f"EbsConfiguration.EbsBlockDeviceConfigs[].VolumeSpecification.{theirs}"
    )
    for ours, theirs in {
        "iops": "Iops", "sizeInGB": "SizeInGB", "volumeType": "VolumeType", "throughput": "Throughput",
    }.items()
}  # fmt: skip

# Where each field of ClusterConfig 1-*-* goes in RunJobFlow. `[X]` is the group of instances with that role.
CLUSTER = {
    "name": ["Name"],
    "logUri": ["LogUri"],
    "roles.jobflow": ["JobFlowRole"],
    "roles.service": ["ServiceRole"],
    "ec2.amiVersion": ["AmiVersion", "ReleaseLabel"],
    "ec2.keyName": ["Instances.Ec2KeyName"],
    "ec2.location.classic.availabilityZone": ["Instances.Placement.AvailabilityZone"],
    "ec2.location.vpc.subnetId": ["Instances.Ec2SubnetId"],
    "ec2.instances.master.type": ["Instances.InstanceGroups[MASTER].InstanceType"],
    "ec2.instances.core.type": ["Instances.InstanceGroups[CORE].InstanceType"],
    "ec2.instances.core.count": ["Instances.InstanceGroups[CORE].InstanceCount"],
    "ec2.instances.task.type": ["Instances.InstanceGroups[TASK].InstanceType"],
    "ec2.instances.task.count": ["Instances.InstanceGroups[TASK].InstanceCount"],
    "ec2.instances.task.bid": ["Instances.InstanceGroups[TASK].BidPrice", "Instances.InstanceGroups[TASK].Market"],
    "tags[].key": ["Tags[].Key"],
    "tags[].value": ["Tags[].Value"],
    "bootstrapActionConfigs[].name": ["BootstrapActions[].Name"],
    "bootstrapActionConfigs[].scriptBootstrapAction.path": ["BootstrapActions[].ScriptBootstrapAction.Path"],
    "bootstrapActionConfigs[].scriptBootstrapAction.args[]": ["BootstrapActions[].ScriptBootstrapAction.Args[]"],
    "configurations[].classification": ["Configurations[].Classification"],
    "configurations[].properties": ["Configurations[].Properties"],
    "configurations[].configurations[]": ["Configurations[].Configurations[].Classification"],
    "applications[]": ["Applications[].Name"],
    "securityConfiguration": ["SecurityConfiguration"],
} | {
    f"ec2.instances.{role}.ebsConfiguration.{ours}": [f"Instances.InstanceGroups[{role.upper()}].{theirs}"]
    for role in ("master", "core", "task")
    for ours, theirs in EBS.items()
}

# Where each field of a playbook's steps goes, in RunJobFlow as in AddJobFlowSteps.
PLAYBOOK = {
    "steps[].name": ["Steps[].Name"],
    "steps[].actionOnFailure": ["Steps[].ActionOnFailure"],
    "steps[].jar": ["Steps[].HadoopJarStep.Jar"],
    "steps[].arguments[]": ["Steps[].HadoopJarStep.Args[]"],
}

RUN_TAG = "dataflow-runner:run"


def check(lab) -> None:
    aws.use_packages()
    from ring import model

    exchanges = recorded.record(lab, "emr::")
    calls, faults, broken = [], Counter(), Counter()
    for exchange in exchanges:
        try:
            call = model.call(exchange)
            if call is None:
                continue
            calls.append(call)
            faults.update(f"request: {fault}" for fault in call.check())
            if word := recorded.broken_on_purpose(exchange):
                broken[word] += 1
            else:
                faults.update(f"reply: {fault}" for fault in model.reply(call, exchange))
        except ValueError as error:
            faults[f"{exchange.method} {exchange.url}: {error}"] += 1
    used = Counter(f"{call.service}:{call.name}" for call in calls)
    print(f"info  {len(calls)} calls: {dict(sorted(used.items()))}; broken on purpose: {dict(broken)}", flush=True)
    told = "\n".join(f"{count}x {fault}" for fault, count in faults.most_common(50))
    assert not faults, f"{sum(faults.values())} faults\n{told}"
    recorded.called_all(OPERATIONS, calls)
    check_fields(calls)


def check_fields(calls: list) -> None:
    """Fails where a published field of the files was never sent, and where this file does not know one."""
    launches = [call.parameters for call in calls if call.name == "RunJobFlow"]
    orders = [call.parameters for call in calls if call.name == "AddJobFlowSteps"]
    for launch in launches:
        # Ours is no field of a file.
        launch["Tags"] = [tag for tag in launch.get("Tags", []) if tag["Key"] != RUN_TAG]
    for schema, known, rest in (
        ("ClusterConfig", CLUSTER, NOT_SENT),
        ("PlaybookConfig", PLAYBOOK, PLAYBOOK_NOT_SENT),
    ):
        odd = avro.published(schema) ^ (known.keys() | rest)
        assert not odd, f"fields of {schema} 1-*-* here or there only, where do they go? {sorted(odd)}"
    never = [
        f"`{field}` as {place} of {operation}"
        for known, operation, bodies in (
            (CLUSTER, "RunJobFlow", launches),
            (PLAYBOOK, "RunJobFlow", launches),
            (PLAYBOOK, "AddJobFlowSteps", orders),
        )
        for field, places in known.items()
        for place in places
        if not any(found(body, place.replace("[", ".[").split(".")) for body in bodies)
    ]
    assert not never, "never sent:\n" + "\n".join(never)


def found(value, path: list) -> bool:
    """Whether there is something at a path."""
    if not path:
        return value not in (None, "", [], {})
    word, rest = path[0], path[1:]
    if word == "[]":
        return any(found(one, rest) for one in value)
    if word.startswith("["):
        return any(found(one, rest) for one in value if one["InstanceRole"] == word[1:-1])
    return word in value and found(value[word], rest)
