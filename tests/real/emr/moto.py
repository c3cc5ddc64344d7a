"""The commands against moto as far as its clusters live, and what AWS's own command line then reads back.

moto's clusters wait at once, its steps never end, and one that was launched with steps never ends by itself; it
knows no CancelSteps. So steps are left (`--async`) or end with their cluster, by a signal.
"""

import json

from ring import aws

from .parts import RUN_TAG, Program, cluster_file, playbook_file

QUICK = ("--poll-interval", "0.1s")


def check(lab) -> None:
    with aws.moto(lab) as url:
        subnet = ask(lab, url, "ec2", "describe-subnets")["Subnets"][0]["SubnetId"]
        ask(lab, url, "ec2", "create-key-pair", "--key-name", "nightly")
        program = Program(lab, url)
        cluster, playbook = cluster_file("ring nightly", subnet), playbook_file("first", "second")
        config, book = program.file("cluster.json", cluster), program.file("playbook.json", playbook)
        on = launched(program, config)
        check_cluster(lab, url, on, cluster["data"], alive=True)
        submitted(program, config, book, on)
        check_steps(lab, url, on, playbook["data"]["steps"] * 3)
        taken_down(lab, url, program, config, on)
        transient(lab, url, program, config, book, cluster["data"], playbook["data"]["steps"], before=on)


def ask(lab, url: str, *arguments: str):
    """What AWS's command line says."""
    text = aws.command_line(lab, url, *arguments)
    return json.loads(text) if text.strip() else None


def launched(program: Program, config) -> str:
    """`up`; the id of the cluster."""
    up = program.run("up", "-emr-config", config, *QUICK).check(0)
    on = up.stdout.strip()
    assert on.startswith("j-"), f"`up` printed {up.stdout!r}"
    up.check(0, f"EMR cluster launched successfully; Jobflow ID: {on}")
    return on


def submitted(program: Program, config, book, on: str) -> None:
    """`run --async`, with each word that names a cluster."""
    for word in (on, "name:ring nightly", "tag:team=data"):
        # 0.7.x needs no cluster file here.
        files = ["-emr-playbook", book] if word == on else ["--config", config, "--playbook", book]
        ended = program.run("run", *files, "--cluster", word, "--async", *QUICK)
        ended.check(0, f"Successfully added 2 steps to the EMR cluster with jobflow id '{on}'...")
    lost = program.run("run", "-emr-playbook", book, "--cluster", "name:nobody", "--async", *QUICK)
    assert lost.code != 0 and "nobody" in lost.stderr, lost
    strange = program.run("run", "-emr-playbook", book, "-emr-cluster", "j-0000000000000", "--async", *QUICK)
    assert strange.code != 0 and "j-0000000000000" in strange.stderr, strange


def taken_down(lab, url: str, program: Program, config, on: str) -> None:
    """`down`, and that nothing of it is left."""
    down = program.run("down", "-emr-config", config, "-emr-cluster", on, *QUICK)
    down.check(0, "EMR cluster terminated successfully")
    state = ask(lab, url, "emr", "describe-cluster", "--cluster-id", on)["Cluster"]["Status"]["State"]
    assert state == "TERMINATED", f"{on} is {state} after `down`"
    assert alive(lab, url) == []


def transient(lab, url: str, program: Program, config, book, cluster: dict, steps: list, before: str) -> None:
    """`run-transient`, interrupted once its cluster is there: it takes the cluster down."""
    ended = program.interrupted(
        lambda: alive(lab, url), "run-transient", "-emr-config", config, "-emr-playbook", book, *QUICK
    )
    ended.check(130)
    assert alive(lab, url) == []
    gone = [one["Id"] for one in ask(lab, url, "emr", "list-clusters", "--terminated")["Clusters"]]
    (on,) = {*gone} - {before}
    check_cluster(lab, url, on, cluster, alive=False)
    check_steps(lab, url, on, steps)


def alive(lab, url: str) -> list:
    """The clusters that are not gone."""
    return [one["Id"] for one in ask(lab, url, "emr", "list-clusters", "--active")["Clusters"]]


def check_cluster(lab, url: str, on: str, file: dict, alive: bool) -> None:
    """Fails unless the cluster is as the file says."""
    cluster = ask(lab, url, "emr", "describe-cluster", "--cluster-id", on)["Cluster"]
    instances = cluster["Ec2InstanceAttributes"]
    tags = {tag["Key"]: tag["Value"] for tag in cluster["Tags"]}
    assert tags.pop(RUN_TAG, None), f"no tag {RUN_TAG}: {cluster['Tags']}"
    equal = {
        "name": (cluster["Name"], file["name"]),
        "log URI": (cluster["LogUri"], file["logUri"]),
        "release": (cluster["ReleaseLabel"], f"emr-{file['ec2']['amiVersion']}"),
        "service role": (cluster["ServiceRole"], file["roles"]["service"]),
        "instance role": (instances["IamInstanceProfile"], file["roles"]["jobflow"]),
        "key": (instances["Ec2KeyName"], file["ec2"]["keyName"]),
        "subnet": (instances["Ec2SubnetId"], file["ec2"]["location"]["vpc"]["subnetId"]),
        "security configuration": (cluster["SecurityConfiguration"], file["securityConfiguration"]),
        "visibility": (cluster["VisibleToAllUsers"], True),
        "ends itself": (cluster["AutoTerminate"], not alive),
        "applications": ([one["Name"] for one in cluster["Applications"]], file["applications"]),
        "tags": (tags, {tag["key"]: tag["value"] for tag in file["tags"]}),
        "configurations": (
            [whole(one) for one in cluster["Configurations"]],
            [configuration(one) for one in file["configurations"]],
        ),
        "bootstrap actions": (cluster["BootstrapActions"], [bootstrap(one) for one in file["bootstrapActionConfigs"]]),
        "groups": (sorted(map(group, cluster["InstanceGroups"]), key=str), sorted(groups(file), key=str)),
    }
    for what, (is_, should) in equal.items():
        assert is_ == should, f"{what} of {on}: {is_}, not {should}"


def check_steps(lab, url: str, on: str, expected: list) -> None:
    """Fails unless the cluster was given just these steps, in this order."""
    listed = ask(lab, url, "emr", "list-steps", "--cluster-id", on)["Steps"]
    found = [
        (one["Name"], one["ActionOnFailure"], one["Config"]["Jar"], one["Config"]["Args"]) for one in reversed(listed)
    ]
    wanted = [(one["name"], one["actionOnFailure"], one["jar"], one["arguments"]) for one in expected]
    assert found == wanted, f"steps of {on}: {found}, not {wanted}"


def configuration(file: dict) -> dict:
    """A configuration as EMR has it."""
    inner = [configuration(one) for one in file.get("configurations") or []]
    return {"Classification": file["classification"], "Properties": file["properties"], "Configurations": inner}


def whole(answer: dict) -> dict:
    """A configuration that EMR gave back, with what it leaves out where that is empty."""
    inner = [whole(one) for one in answer.get("Configurations") or []]
    return answer | {"Properties": answer.get("Properties") or {}, "Configurations": inner}


def bootstrap(file: dict) -> dict:
    """A bootstrap action as EMR gives it back."""
    script = file["scriptBootstrapAction"]
    return {"Name": file["name"], "ScriptPath": script["path"], "Args": script["args"]}


def groups(file: dict) -> list:
    """The groups of instances of a file, as `group` has them."""
    return [
        (role.upper(), one["type"], one.get("count", 1), one.get("bid"), volumes(one.get("ebsConfiguration")))
        for role, one in file["ec2"]["instances"].items()
    ]


def volumes(ebs: dict | None) -> list:
    """The volumes of one instance, one by one. moto keeps no throughput."""
    found = []
    for device in ebs["ebsBlockDeviceConfigs"] if ebs else ():
        volume = device["volumeSpecification"]
        found += [(volume["volumeType"], volume["sizeInGB"], volume["iops"])] * device["volumesPerInstance"]
    return found


def group(answer: dict) -> tuple:
    """What is compared of a group of instances."""
    devices = [device["VolumeSpecification"] for device in answer["EbsBlockDevices"]]
    return (
        answer["InstanceGroupType"], answer["InstanceType"], answer["RequestedInstanceCount"], answer.get("BidPrice"),
        [(volume["VolumeType"], volume["SizeInGB"], volume["Iops"]) for volume in devices],
    )  # fmt: skip
