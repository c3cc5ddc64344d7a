"""The project's own fake before Google's own client: the life of a cluster and its jobs as that client sees it."""

import itertools
import os
import urllib.parse

from ring import fake, google

REGION = "europe-west1"
PROJECT = "fake-project"
CLUSTER = "nightly"
# No answer takes as long; one that does never comes.
LIMIT_SECONDS = 120


def check(lab) -> None:
    google.use_packages()
    # A fault of the network between two processes of this machine would be one of the test.
    os.environ["NO_PROXY"] = "127.0.0.1"
    # A minute of the fake's goes by in 60 ms; the last kind of job runs until it is ended.
    with fake.serving(lab.mark, "dataproc_fake", second_ms=1, boot_seconds=90, runs="never:0", bucket="acme") as served:
        url, token, *_ = served.clusters
        clients = Clients(url, token)
        uuid = created(clients)
        listed(clients)
        worked(clients)
        cancelled(clients)
        refused(clients, url)
        deleted(clients, uuid)
        figures = served.figures()
    assert figures["violations"] == [] and figures["alive"] == 0, figures
    assert figures["jobs"] == figures["ended"] == 4, figures


class Clients:
    """Google's clients before the fake; each call has the project and the region in it."""

    ids = itertools.count()

    def __init__(self, url: str, token: str) -> None:
        from google.cloud import dataproc_v1
        from google.cloud.dataproc_v1.services.cluster_controller.transports import ClusterControllerRestTransport
        from google.cloud.dataproc_v1.services.job_controller.transports import JobControllerRestTransport
        from google.oauth2.credentials import Credentials

        where = {"host": urllib.parse.urlsplit(url).netloc, "url_scheme": "http", "credentials": Credentials(token)}
        self.types = dataproc_v1
        self.clusters = dataproc_v1.ClusterControllerClient(transport=ClusterControllerRestTransport(**where))
        self.jobs = dataproc_v1.JobControllerClient(transport=JobControllerRestTransport(**where))

    def ask(self, method, **fields):
        """A call without any of the client's own retries; an order that is not to be one with another has an id."""
        if method.__name__ in ("create_cluster", "delete_cluster", "submit_job"):
            fields.setdefault("request_id", f"id-{next(self.ids)}")
        return method(request={"project_id": PROJECT, "region": REGION, **fields}, retry=None, timeout=LIMIT_SECONDS)


def cluster(types):
    """A cluster with most of what one can have."""
    return types.Cluster(
        project_id=PROJECT,
        cluster_name=CLUSTER,
        labels={"team": "data"},
        config=types.ClusterConfig(
            config_bucket="acme",
            gce_cluster_config=types.GceClusterConfig(zone_uri=f"{REGION}-b", subnetwork_uri="default"),
            master_config=types.InstanceGroupConfig(
                num_instances=1,
                machine_type_uri="n2-standard-4",
                disk_config=types.DiskConfig(boot_disk_size_gb=100, boot_disk_type="hyperdisk-balanced",
                                             boot_disk_provisioned_iops=4000),
            ),
            worker_config=types.InstanceGroupConfig(num_instances=2, machine_type_uri="n2-standard-8"),
            secondary_worker_config=types.InstanceGroupConfig(
                num_instances=3, preemptibility=types.InstanceGroupConfig.Preemptibility.SPOT
            ),
            software_config=types.SoftwareConfig(
                image_version="2.2-debian12",
                properties={"spark:spark.executor.memory": "2g"},
                optional_components=[types.Component.FLINK],
            ),
            lifecycle_config=types.LifecycleConfig(idle_delete_ttl={"seconds": 3600}, auto_delete_ttl={"seconds": 86400}),
            initialization_actions=[
                types.NodeInitializationAction(executable_file="gs://acme/i.sh", execution_timeout={"seconds": 60})
            ],
        ),
    )  # fmt: skip


def created(clients: Clients) -> str:
    """A cluster that was awaited; its uuid."""
    types = clients.types
    create = clients.clusters.create_cluster
    operation = clients.ask(create, cluster=cluster(types), request_id="first", action_on_failed_primary_workers="DELETE")
    assert operation.operation.name.startswith(f"projects/{PROJECT}/regions/{REGION}/operations/"), operation.operation
    told = operation.metadata
    assert (told.cluster_name, told.operation_type) == (CLUSTER, "CREATE"), told
    # Sent again it is the same operation.
    again = clients.ask(create, cluster=cluster(types), request_id="first")
    assert again.operation.name == operation.operation.name, again.operation
    made = operation.result(timeout=LIMIT_SECONDS)
    assert made.cluster_name == CLUSTER and made.cluster_uuid == told.cluster_uuid, made
    found = clients.ask(clients.clusters.get_cluster, cluster_name=CLUSTER)
    assert found.status.state == types.ClusterStatus.State.RUNNING, found.status
    assert [one.state.name for one in found.status_history] == ["CREATING"], found.status_history
    assert found.labels["team"] == "data" and found.config.config_bucket == "acme", found
    assert found.config.lifecycle_config.auto_delete_ttl.total_seconds() == 86400, found.config.lifecycle_config
    assert found.config.master_config.disk_config.boot_disk_provisioned_iops == 4000, found.config.master_config
    assert [*found.config.software_config.optional_components] == [types.Component.FLINK]
    return found.cluster_uuid


def listed(clients: Clients) -> None:
    """Clusters by filters, page by page."""
    types = clients.types
    other = types.Cluster(project_id=PROJECT, cluster_name="other", config={})
    clients.ask(clients.clusters.create_cluster, cluster=other).result(timeout=LIMIT_SECONDS)
    for filtering, names in (
        ("", [CLUSTER, "other"]),
        ("labels.team = data", [CLUSTER]),
        ("clusterName = other", ["other"]),
        ("status.state = ACTIVE AND labels.team = data", [CLUSTER]),
        ("labels.team = nobody", []),
    ):
        pager = clients.ask(clients.clusters.list_clusters, filter=filtering, page_size=1)
        pages = [[one.cluster_name for one in page.clusters] for page in pager.pages]
        assert sorted(sum(pages, [])) == names, (filtering, pages)
        assert all(len(page) <= 1 for page in pages), (filtering, pages)
    clients.ask(clients.clusters.delete_cluster, cluster_name="other").result(timeout=LIMIT_SECONDS)


def submitted(clients: Clients, name: str, **work):
    """A job."""
    types = clients.types
    job = types.Job(
        reference={"project_id": PROJECT, "job_id": name},
        placement={"cluster_name": CLUSTER},
        labels={"run": "one"},
        **work,
    )
    return clients.ask(clients.jobs.submit_job, job=job, request_id=f"id-of-{name}")


def awaited(clients: Clients, name: str):
    """The job once it is done: each question takes a moment, and the fake's time goes by."""
    while not (job := clients.ask(clients.jobs.get_job, job_id=name)).done:
        pass
    return job


def worked(clients: Clients) -> None:
    types = clients.types
    spark = types.SparkJob(main_class="A", jar_file_uris=["gs://b/a.jar"], args=["1", ""], properties={"k": "v"})
    first = submitted(clients, "spark", spark_job=spark)
    assert first.status.state == types.JobStatus.State.PENDING and first.placement.cluster_uuid, first
    # Sent again it is the same job.
    assert submitted(clients, "spark", spark_job=spark).job_uuid == first.job_uuid
    submitted(clients, "hive", hive_job=types.HiveJob(query_file_uri="gs://b/q.sql", script_variables={"a": "b"}))
    pig = types.PigJob(query_list=types.QueryList(queries=["sh true"]))
    submitted(clients, "pig", pig_job=pig)
    done = awaited(clients, "spark")
    assert done.status.state == types.JobStatus.State.DONE, done.status
    assert [one.state.name for one in done.status_history] == ["PENDING", "SETUP_DONE", "RUNNING"], done.status_history
    assert done.spark_job == spark and done.driver_output_resource_uri.startswith("gs://acme/"), done
    for name in ("hive", "pig"):
        assert awaited(clients, name).status.state == types.JobStatus.State.DONE
    pager = clients.ask(clients.jobs.list_jobs, cluster_name=CLUSTER, filter="labels.run = one", page_size=2)
    names = [[one.reference.job_id for one in page.jobs] for page in pager.pages]
    assert sorted(sum(names, [])) == ["hive", "pig", "spark"] and [len(page) for page in names] == [2, 1], names


def cancelled(clients: Clients) -> None:
    types = clients.types
    submitted(clients, "never", hadoop_job=types.HadoopJob(main_jar_file_uri="gs://b/h.jar", args=["in"]))
    matcher = types.ListJobsRequest.JobStateMatcher.ACTIVE
    active = [one.reference.job_id for one in clients.ask(clients.jobs.list_jobs, job_state_matcher=matcher)]
    assert active == ["never"], active
    told = clients.ask(clients.jobs.cancel_job, job_id="never")
    assert told.status.state == types.JobStatus.State.CANCEL_PENDING, told.status
    assert awaited(clients, "never").status.state == types.JobStatus.State.CANCELLED


def refused(clients: Clients, url: str) -> None:
    """What is refused, as the client's own exceptions."""
    from google.api_core import exceptions
    from google.auth.exceptions import RefreshError

    types, ask, clusters, jobs = clients.types, clients.ask, clients.clusters, clients.jobs
    misnamed = types.Cluster(project_id=PROJECT, cluster_name="Nightly_1", config={})
    taken = types.Cluster(project_id=PROJECT, cluster_name=CLUSTER, config={})
    homeless = types.Job(placement={"cluster_name": "nobody"}, pig_job=types.PigJob(query_file_uri="gs://b/q.pig"))
    idle = types.Job(placement={"cluster_name": CLUSTER})
    strangers = Clients(url, "no-token-of-ours")
    for kind, word, call in (
        (exceptions.NotFound, "nobody", lambda: ask(clusters.get_cluster, cluster_name="nobody")),
        (exceptions.NotFound, "nobody", lambda: ask(clusters.delete_cluster, cluster_name="nobody")),
        (exceptions.NotFound, CLUSTER, lambda: ask(clusters.delete_cluster, cluster_name=CLUSTER, cluster_uuid="other")),
        (exceptions.NotFound, "nobody", lambda: ask(jobs.get_job, job_id="nobody")),
        (exceptions.NotFound, "nobody", lambda: ask(jobs.submit_job, job=homeless)),
        (exceptions.Conflict, CLUSTER, lambda: ask(clusters.create_cluster, cluster=taken)),
        (exceptions.BadRequest, "Nightly_1", lambda: ask(clusters.create_cluster, cluster=misnamed)),
        (exceptions.BadRequest, "", lambda: ask(jobs.submit_job, job=idle)),
        (exceptions.BadRequest, "", lambda: ask(clusters.list_clusters, filter="colour = red")),
        # It was told that the token is no good, and has no other.
        (RefreshError, "", lambda: strangers.ask(strangers.clusters.get_cluster, cluster_name=CLUSTER)),
    ):
        try:
            call()
        except (exceptions.GoogleAPICallError, RefreshError) as error:
            assert type(error) is kind and word in str(error), (kind, word, error)
        else:
            raise AssertionError(f"not refused with {kind.__name__}")


def deleted(clients: Clients, uuid: str) -> None:
    from google.api_core import exceptions

    clients.ask(clients.clusters.delete_cluster, cluster_name=CLUSTER, cluster_uuid=uuid).result(timeout=LIMIT_SECONDS)
    try:
        clients.ask(clients.clusters.get_cluster, cluster_name=CLUSTER)
    except exceptions.NotFound:
        return
    raise AssertionError("it is still there")
