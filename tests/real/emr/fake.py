"""The project's own fake before AWS's own client: its life as botocore's waiters know it, every reply as described."""

import gzip

from ring import aws, fake, proxy

BUCKET, FOLDER = "logs", "emr"


def check(lab) -> None:
    aws.use_packages()
    from ring import model

    file = lab.work / "exchanges.jsonl"
    # A minute of the fake's goes by in 60 ms.
    with fake.serving(lab.mark, second_ms=1, boot_seconds=120) as served, proxy.Recorder(file) as recorder:
        clients = Clients(served, recorder)
        on = launched(clients.emr)
        worked(clients.emr, on)
        refused(clients.emr, on)
        ended(clients.emr, on)
        read_logs(clients, on)
        assumed(clients.sts)
        figures = served.figures()
    assert figures["violations"] == [] and figures["alive"] == 0, figures
    exchanges = proxy.exchanges(file)
    assert len(exchanges) == sum(figures["calls"].values()), f"{len(exchanges)} recorded, {figures}"
    faults = []
    for exchange in exchanges:
        call = model.call(exchange)
        faults += [f"{call.name}: {fault}" for fault in call.check() + model.reply(call, exchange)]
    assert not faults, "\n".join(sorted(set(faults)))


class Clients:
    """AWS's clients before the fake."""

    def __init__(self, served: fake.Fake, recorder: proxy.Recorder) -> None:
        import boto3
        from botocore.config import Config

        # Path style: the fake goes by another name than S3.
        config = Config(
            proxies={"http": recorder.url}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        )
        keys = {
            "aws_access_key_id": served.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": served.environment["AWS_SECRET_ACCESS_KEY"],
            "region_name": "eu-west-1",
            "endpoint_url": served.url,
        }
        self.emr, self.s3, self.sts = (boto3.client(name, config=config, **keys) for name in ("emr", "s3", "sts"))


def waited(client, waiter: str, **names) -> None:
    """botocore's waiters ask until it is so, and raise where it never will be."""
    client.get_waiter(waiter).wait(**names, WaiterConfig={"Delay": 0.01, "MaxAttempts": 2000})


def launched(emr) -> str:
    groups = [
        {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"},
        {"InstanceRole": "CORE", "InstanceCount": 2, "InstanceType": "m5.xlarge", "Market": "SPOT", "BidPrice": "0.1"},
    ]
    bootstrap = {"Name": "b", "ScriptBootstrapAction": {"Path": "s3://b/b.sh", "Args": ["a"]}}
    on = emr.run_job_flow(
        Name="c",
        LogUri=f"s3://{BUCKET}/{FOLDER}/",
        ReleaseLabel="emr-7.5.0",
        Instances={"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": True, "Ec2SubnetId": "subnet-1"},
        BootstrapActions=[bootstrap],
        Configurations=[{"Classification": "core-site", "Properties": {"a": "b"}}],
        Applications=[{"Name": "Spark"}],
        ServiceRole="EMR_DefaultRole",
        JobFlowRole="EMR_EC2_DefaultRole",
        Tags=[{"Key": "team", "Value": "data"}],
    )["JobFlowId"]
    assert emr.describe_cluster(ClusterId=on)["Cluster"]["Status"]["State"] == "STARTING"
    waited(emr, "cluster_running", ClusterId=on)
    cluster = emr.describe_cluster(ClusterId=on)["Cluster"]
    assert cluster["Tags"] == [{"Key": "team", "Value": "data"}], cluster
    listed = emr.list_bootstrap_actions(ClusterId=on)["BootstrapActions"]
    assert [one["ScriptPath"] for one in listed] == ["s3://b/b.sh"], listed
    return on


def worked(emr, on: str) -> None:
    """More steps than a page has, one of them cancelled; newest first."""
    step = {"ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}}
    named = [{"Name": f"step {number}"} | step for number in range(60)]
    ids = emr.add_job_flow_steps(JobFlowId=on, Steps=named)["StepIds"]
    asked = emr.cancel_steps(ClusterId=on, StepIds=ids[-1:])["CancelStepsInfoList"]
    assert [one["Status"] for one in asked] == ["SUBMITTED"], asked
    waited(emr, "step_complete", ClusterId=on, StepId=ids[-2])
    pages = [page["Steps"] for page in emr.get_paginator("list_steps").paginate(ClusterId=on)]
    assert [len(page) for page in pages] == [50, 10], [len(page) for page in pages]
    states = {one["Id"]: one["Status"]["State"] for page in pages for one in page}
    assert [*states] == ids[::-1], "not newest first"
    assert states.pop(ids[-1]) == "CANCELLED" and set(states.values()) == {"COMPLETED"}, states
    some = emr.list_steps(ClusterId=on, StepIds=ids[:3])["Steps"]
    assert sorted(one["Id"] for one in some) == sorted(ids[:3])
    assert emr.describe_step(ClusterId=on, StepId=ids[0])["Step"]["Name"] == "step 0"


def refused(emr, on: str) -> None:
    """What EMR refuses, in its own words: botocore knows the modelled ones by class."""
    from botocore.exceptions import ClientError

    step = {"Name": "s", "HadoopJarStep": {"Jar": "j"}}
    for code, call in (
        ("InvalidRequestException", lambda: emr.describe_cluster(ClusterId="j-0000000000000")),
        ("InvalidRequestException", lambda: emr.list_steps(ClusterId="j-0000000000000")),
        ("InvalidRequestException", lambda: emr.describe_step(ClusterId=on, StepId="s-0000000000000")),
        ("ValidationException", lambda: emr.add_job_flow_steps(JobFlowId="j-0000000000000", Steps=[step])),
        ("ValidationException", lambda: emr.terminate_job_flows(JobFlowIds=["j-0000000000000"])),
        ("ValidationException", lambda: emr.add_job_flow_steps(JobFlowId=on, Steps=[step] * 257)),
        ("ValidationException", lambda: emr.run_job_flow(Name="<c>", Instances={})),
    ):
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] == code, error.response
            assert error.response["Error"]["Message"], error.response
        else:
            raise AssertionError(f"not refused with {code}")


def ended(emr, on: str) -> None:
    emr.terminate_job_flows(JobFlowIds=[on])
    waited(emr, "cluster_terminated", ClusterId=on)
    listed = emr.list_clusters(ClusterStates=["TERMINATED"])["Clusters"]
    assert [one["Id"] for one in listed] == [on], listed


def read_logs(clients: Clients, on: str) -> None:
    prefix = f"{FOLDER}/{on}/steps/"
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix=prefix, PaginationConfig={"PageSize": 30}
    )
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    controllers = [key for key in keys if key.endswith("/controller.gz")]
    assert len(controllers) == 59, keys
    body = clients.s3.get_object(Bucket=BUCKET, Key=controllers[0])["Body"].read()
    assert b"exitCode 0" in gzip.decompress(body)
    part = clients.s3.get_object(Bucket=BUCKET, Key=controllers[0], Range="bytes=2-5")["Body"].read()
    assert part == body[2:6]
    try:
        clients.s3.get_object(Bucket=BUCKET, Key="none")
        raise AssertionError("there is no such key")
    except clients.s3.exceptions.NoSuchKey:
        pass


def assumed(sts) -> None:
    role = "arn:aws:iam::123456789012:role/deploy"
    given = sts.assume_role(RoleArn=role, RoleSessionName="ring")["Credentials"]
    assert given["AccessKeyId"] and given["SessionToken"] and given["Expiration"], given
