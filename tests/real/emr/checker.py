"""The checks of `contract` themselves: AWS's own client passes them, and what is bent a little does not."""

import json
from dataclasses import replace

from ring import aws, proxy

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}


def check(lab) -> None:
    aws.use_packages()
    from ring import model

    file = lab.work / "exchanges.jsonl"
    with aws.moto(lab) as url, proxy.Recorder(file) as recorder:
        talk(url, recorder.url)
    exchanges = proxy.exchanges(file)
    by_operation = {}
    for exchange in exchanges:
        call = model.call(exchange)
        assert not call.check(), f"{call.name} of botocore: {call.check()}"
        by_operation[call.name] = exchange
    assert by_operation.keys() == OPERATIONS, f"recorded {sorted(by_operation)}"
    assert [exchange.reply for exchange in exchanges] == ["whole"] * len(exchanges)
    assert "wJalr" not in file.read_text(encoding="utf-8") and "Signature=-" in exchanges[0].header("authorization")
    # moto's replies to these are as the real ones.
    for name in FAITHFUL:
        faults = model.reply(model.call(by_operation[name]), by_operation[name])
        assert not faults, f"moto's reply to {name}: {faults}"
    for number, (name, bend, expected) in enumerate(BENT):
        exchange = bend(by_operation[name])
        try:
            call = model.call(exchange)
            faults = call.check() + model.reply(call, exchange)
        except ValueError as error:
            faults = [str(error)]
        assert any(expected in fault for fault in faults), f"bent {number}: {expected!r} is not in {faults}"


def talk(url: str, through: str) -> None:
    """One call of each operation."""
    import boto3
    from botocore.config import Config

    config = Config(proxies={"http": through}, retries={"total_max_attempts": 1})
    emr, s3, sts = (boto3.client(name, endpoint_url=url, config=config, **KEYS) for name in ("emr", "s3", "sts"))
    group = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
    step = {"Name": "s", "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}}
    cluster = emr.run_job_flow(
        Name="c",
        ReleaseLabel="emr-7.5.0",
        Instances={"InstanceGroups": [group], "KeepJobFlowAliveWhenNoSteps": True},
        Tags=[{"Key": "a", "Value": "b"}],
    )["JobFlowId"]
    emr.list_clusters(ClusterStates=["WAITING"])
    emr.add_job_flow_steps(JobFlowId=cluster, Steps=[step])
    emr.list_steps(ClusterId=cluster)
    emr.terminate_job_flows(JobFlowIds=[cluster])
    try:
        emr.describe_cluster(ClusterId="j-NONE")
    except emr.exceptions.InvalidRequestException:
        pass
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="logs", Key="a/b c", Body=b"\x1f\x8b\x00")
    s3.list_objects_v2(Bucket="logs", Prefix="a/", MaxKeys=10)
    assert s3.get_object(Bucket="logs", Key="a/b c", Range="bytes=1-")["Body"].read() == b"\x8b\x00"
    sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/deploy", RoleSessionName="ring", DurationSeconds=900)


OPERATIONS = {
    "RunJobFlow", "ListClusters", "AddJobFlowSteps", "ListSteps", "TerminateJobFlows", "DescribeCluster",
    "CreateBucket", "PutObject", "ListObjectsV2", "GetObject", "AssumeRole",
}  # fmt: skip

FAITHFUL = ("RunJobFlow", "ListClusters", "AddJobFlowSteps", "DescribeCluster", "ListObjectsV2", "AssumeRole")


def sent(change):
    """Bends the JSON of a request."""

    def bend(exchange):
        body = json.loads(exchange.body)
        change(body)
        return replace(exchange, body=json.dumps(body).encode())

    return bend


def answered(change):
    """Bends the JSON of a reply."""

    def bend(exchange):
        body = json.loads(exchange.reply_body)
        change(body)
        return replace(exchange, reply_body=json.dumps(body).encode())

    return bend


def swapped(old: str, new: str, where: str):
    """Bends a text: `url`, `body`, `reply_body`, or the headers of the request."""

    def bend(exchange):
        if where == "headers":
            headers = [(name, value.replace(old, new)) for name, value in exchange.headers]
            assert headers != [tuple(pair) for pair in exchange.headers], f"no {old} in the headers"
            return replace(exchange, headers=headers)
        before = getattr(exchange, where)
        after = before.replace(old, new) if isinstance(before, str) else before.replace(old.encode(), new.encode())
        assert after != before, f"no {old} in {before}"
        return replace(exchange, **{where: after})

    return bend


# An operation, what is done to its exchange, and a part of what has to be said about it.
BENT = [
    ("RunJobFlow", sent(lambda b: b.update(Nam="x")), "Unknown parameter in input: \"Nam\""),
    ("RunJobFlow", sent(lambda b: b.pop("Name")), "Missing required parameter in input: \"Name\""),
    ("RunJobFlow", sent(lambda b: b["Instances"].update(InstanceGroups={})), "InstanceGroups"),
    ("RunJobFlow", sent(lambda b: b["Instances"]["InstanceGroups"][0].update(InstanceRole="KING")), "none of MASTER"),
    ("RunJobFlow", sent(lambda b: b["Instances"]["InstanceGroups"][0].update(InstanceCount="1")), "InstanceCount"),
    ("RunJobFlow", sent(lambda b: b.update(Name="n" * 257)), "outside of"),
    ("RunJobFlow", sent(lambda b: b.update(Name="\0")), "does not match"),
    ("RunJobFlow", sent(lambda b: b.update(VisibleToAllUsers=1)), "VisibleToAllUsers"),
    ("RunJobFlow", sent(lambda b: b.update(Tags=None)), "Tags"),
    ("RunJobFlow", swapped('"Name"', '"Name": "twice", "Name"', "body"), "twice"),
    ("RunJobFlow", swapped("ElasticMapReduce.Run", "ElasticMapReduce.Ran", "headers"), "no operation"),
    ("RunJobFlow", swapped("ElasticMapReduce.Run", "EMR.Run", "headers"), "target prefix"),
    ("RunJobFlow", swapped("json-1.1", "json-1.0", "headers"), "content type"),
    ("RunJobFlow", swapped("host;", "", "headers"), "not signed: host"),
    ("RunJobFlow", swapped("AWS4-HMAC-SHA256", "AWS3", "headers"), "no known way"),
    ("RunJobFlow", swapped("/elasticmapreduce/", "/emr/", "headers"), "unknown service"),
    ("RunJobFlow", answered(lambda b: b.update(More=1)), "unknown member 'More'"),
    ("RunJobFlow", answered(lambda b: b.update(JobFlowId=1)), "JobFlowId is int"),
    ("ListClusters", answered(lambda b: b["Clusters"][0]["Status"].update(State="DONE")), "none of STARTING"),
    ("ListClusters", answered(lambda b: b["Clusters"][0]["Status"].update(Timeline=[])), "Timeline is list"),
    ("DescribeCluster", answered(lambda b: b.update(__type="Oops")), "unknown code 'Oops'"),
    ("DescribeCluster", answered(lambda b: b.update(Hint="x")), "unknown member 'Hint'"),
    ("TerminateJobFlows", swapped("", "{\"a\": 1}", "reply_body"), "not empty"),
    ("ListObjectsV2", swapped("list-type=2", "list-type=2&prefixx=a", "url"), "no operation"),
    ("ListObjectsV2", swapped("max-keys=10", "max-keys=ten", "url"), "MaxKeys"),
    ("ListObjectsV2", swapped("<Size>", "<Size>x", "reply_body"), "Size"),
    ("ListObjectsV2", swapped("Contents>", "Content>", "reply_body"), "unknown member 'Content'"),
    ("GetObject", lambda e: replace(e, headers=e.headers + [["x-amz-rang", "1"]]), "unknown header x-amz-rang"),
    ("GetObject", lambda e: replace(e, url=e.url + "?versionid=1"), "no operation"),
    ("AssumeRole", swapped("RoleSessionName=", "SessionName=", "body"), "unknown field of the form: SessionName"),
    ("AssumeRole", swapped("2011-06-15", "2011-06-16", "body"), "version '2011-06-16'"),
    ("AssumeRole", swapped("DurationSeconds=900", "DurationSeconds=90", "body"), "DurationSeconds"),
    ("AssumeRole", swapped("SecretAccessKey>", "SecretKey>", "reply_body"), "unknown member 'SecretKey'"),
]
