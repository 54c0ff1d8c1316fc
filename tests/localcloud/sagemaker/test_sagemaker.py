"""Training jobs really run, are interrupted, resume, fail and stop as on SageMaker."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import tarfile
import time
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from localcloud import REGION, supervisor
from localcloud.processes import wait_until
from localcloud.protocol import ServiceError
from localcloud.requests import python_pattern
from localcloud.sagemaker.client import interrupt
from localcloud.sagemaker.container import LOG_GROUP, Container, Files
from localcloud.sagemaker.service import MODEL, MOMENTS, NOT_HELD, Service
from shoestring.base.errors import UserError
from tests.conftest import client, role

STEPS = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(os.environ["SM_CHECKPOINT_DIR"]); folder.mkdir(parents=True, exist_ok=True)
state = folder / "step"
start = int(state.read_text()) if state.exists() else 0
print("resumed from", start)
for step in range(start, 30):
    time.sleep(0.1)
    state.with_suffix(".part").write_text(str(step + 1))
    os.replace(state.with_suffix(".part"), state)
    print(f"step={step} loss={1 / (step + 1):.3f}")
data = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "train.csv").read_text()
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(data + " ".join(sys.argv[1:]))
"""


# Ends only with its third instance.
THIRD = """
import os, pathlib, time
state = pathlib.Path(os.environ["SM_CHECKPOINT_DIR"], "starts")
state.parent.mkdir(parents=True, exist_ok=True)
starts = len(state.read_text()) + 1 if state.exists() else 1
state.write_text("x" * starts)
print("start", starts)
time.sleep(0 if starts == 3 else 600)
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    described = supervisor.up(home)
    (home / "cloud" / "spot.json").write_text('{"interrupt_after_seconds": [1.5], "grace_seconds": 2}')
    yield described
    supervisor.down(home)


@pytest.fixture(scope="module")
def bucket(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="state")
    s3.put_object(Bucket="state", Key="data/train.csv", Body=b"a,b\n")
    return "state"


def create(cloud, bucket, name, program, spot=False, run=60, region=REGION, **more):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("train.py")
        info.size = len(program.encode())
        tar.addfile(info, io.BytesIO(program.encode()))
    client(cloud, "s3").put_object(Bucket=bucket, Key=f"code/{name}.tar.gz", Body=packed.getvalue())
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([0-9.]+)"}],
        },
        "RoleArn": role(client(cloud, "iam"), "jobs", "sagemaker.amazonaws.com"),
        "HyperParameters": {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(f"s3://{bucket}/code/{name}.tar.gz"),
            "rate": "0.1",
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/artifacts"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": run},
        "CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints/{name}"},
        **more,
    }
    if spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = run
    return client(cloud, "sagemaker", region).create_training_job(**request)


def ended(cloud, name, seconds=40, region=REGION):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        job = client(cloud, "sagemaker", region).describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        time.sleep(0.2)
    raise AssertionError(f"{name} did not end: {job}")


def log(cloud, name, region=REGION):
    logs = client(cloud, "logs", region)
    stream = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"][0]
    events = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"])["events"]
    return [event["message"] for event in events]


def transitions(job):
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def test_spot_job_is_interrupted_and_resumes_from_its_checkpoint(cloud, bucket):
    create(cloud, bucket, "resumes", STEPS, spot=True)
    job = ended(cloud, "resumes")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert transitions(job) == [
        "Starting", "Downloading", "Training", "Interrupted",
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    starts = [int(line.split()[-1]) for line in log(cloud, "resumes") if line.startswith("resumed from")]
    assert starts[0] == 0 and 0 < starts[1] < 30
    assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(1 / 30, abs=1e-3)
    assert 0 < job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]
    stored = client(cloud, "s3").get_object(Bucket=bucket, Key="artifacts/resumes/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(stored["Body"].read())) as tar:
        assert tar.extractfile("./model.txt").read() == b"a,b\n--rate 0.1"


def test_spot_job_is_interrupted_on_demand(cloud, bucket):
    create(cloud, bucket, "reclaimed", THIRD, spot=True)
    # The cloud's own market takes the first instance.
    assert wait_until(lambda: any(line == "start 2" for line in log(cloud, "reclaimed")), 40)
    interrupt(cloud, "reclaimed")
    job = ended(cloud, "reclaimed")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert transitions(job).count("Interrupted") == 2
    assert log(cloud, "reclaimed") == ["start 1", "start 2", "start 3"]
    with pytest.raises(UserError, match="not training now: its status is Completed"):
        interrupt(cloud, "reclaimed")


def test_only_spot_jobs_that_exist_can_be_interrupted(cloud, bucket):
    create(cloud, bucket, "on-demand", STEPS)
    with pytest.raises(UserError, match="on-demand is not on spot capacity"):
        interrupt(cloud, "on-demand")
    with pytest.raises(UserError, match="absent cannot be interrupted: Requested resource not found"):
        interrupt(cloud, "absent")
    with pytest.raises(UserError, match="shoestring cloud up"):
        interrupt({"sockets": "/nowhere"}, "absent")
    assert transitions(ended(cloud, "on-demand")).count("Interrupted") == 0


def test_a_region_knows_nothing_of_the_jobs_of_another(cloud, bucket):
    says = 'import os; print("runs in", os.environ["AWS_REGION"], os.environ.get("AWS_DEFAULT_REGION"))'
    made = create(cloud, bucket, "elsewhere", says, region="eu-west-1")
    assert made["TrainingJobArn"] == "arn:aws:sagemaker:eu-west-1:000000000000:training-job/elsewhere"
    assert ended(cloud, "elsewhere", region="eu-west-1")["TrainingJobStatus"] == "Completed"
    assert log(cloud, "elsewhere", "eu-west-1") == ["runs in eu-west-1 None"]
    here, there = client(cloud, "sagemaker"), client(cloud, "sagemaker", "eu-west-1")
    with pytest.raises(ClientError, match="not found"):
        here.describe_training_job(TrainingJobName="elsewhere")
    assert "elsewhere" not in [job["TrainingJobName"] for job in here.list_training_jobs()["TrainingJobSummaries"]]
    assert [job["TrainingJobName"] for job in there.list_training_jobs()["TrainingJobSummaries"]] == ["elsewhere"]
    create(cloud, bucket, "elsewhere", "print(1)")  # a name is taken in its region only
    assert ended(cloud, "elsewhere")["TrainingJobArn"].split(":")[3] == REGION
    for region in (REGION, "eu-west-1"):
        client(cloud, "sagemaker", region).delete_training_job(TrainingJobName="elsewhere")


def test_role_must_be_let_into_the_bucket_of_the_output(cloud, bucket):
    iam, role = client(cloud, "iam"), "limited"
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    prefixed = {**listing, "Condition": {"StringLike": {"s3:prefix": ["artifacts/*"]}}}
    arn = f"arn:aws:iam::000000000000:role/{role}"
    for statement, refused in ((prefixed, True), (listing, False)):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="training", PolicyDocument=policy)
        if refused:
            with pytest.raises(ClientError, match=r"ValidationException.*s3:ListBucket"):
                create(cloud, bucket, "limited", "print(1)", RoleArn=arn)
        else:
            create(cloud, bucket, "limited", "print(1)", RoleArn=arn)
            assert ended(cloud, "limited")["TrainingJobStatus"] == "Completed"


def test_job_reaches_the_accounts_machines(tmp_path):
    described = {"private_ip": "10.20.0.10", "port": 5000, "address": "http://127.0.0.1:4321"}
    (tmp_path / "machines.json").write_text(json.dumps([described]))
    request = {
        "TrainingJobName": "tracks",
        "HyperParameters": {"sagemaker_program": "train.py"},
        "Environment": {"MLFLOW_TRACKING_URI": "http://10.20.0.10:5000"},
    }
    container = Container(tmp_path / "root", request, Files(), tmp_path)
    container.place("/opt/ml/code").mkdir(parents=True)
    container.place("/opt/ml/code/train.py").write_text("import os; print(os.environ['MLFLOW_TRACKING_URI'])")
    assert container.start(tmp_path / "log").wait() == 0
    assert (tmp_path / "log").read_text() == "http://127.0.0.1:4321\n"


def test_program_that_raises_fails_with_its_last_lines(cloud, bucket):
    create(cloud, bucket, "raises", "print('before')\nraise ValueError('the reason')")
    job = ended(cloud, "raises")
    assert job["TrainingJobStatus"] == "Failed"
    assert "exit code: 1" in job["FailureReason"] and "the reason" in job["FailureReason"]


def test_missing_data_fails_with_its_place(cloud, bucket):
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/absent/"}}
    channel = [{"ChannelName": "training", "DataSource": source}]
    create(cloud, bucket, "no-data", "", InputDataConfig=channel)
    assert f"s3://{bucket}/absent/" in ended(cloud, "no-data")["FailureReason"]


def test_longest_run_is_enforced(cloud, bucket):
    create(cloud, bucket, "long", STEPS, run=1)
    job = ended(cloud, "long")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_stopped_job_gets_its_grace_and_is_deleted_without_its_logs(cloud, bucket):
    program = (
        "import os, pathlib, signal, sys, time\n"
        "def leave(*_):\n"
        "    pathlib.Path(os.environ['SM_MODEL_DIR'], 'last').write_text('kept')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('ready')\n"
        "time.sleep(60)\n"
    )
    sagemaker = client(cloud, "sagemaker")
    create(cloud, bucket, "stops", program)
    while sagemaker.describe_training_job(TrainingJobName="stops")["SecondaryStatus"] != "Training":
        time.sleep(0.1)
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_training_job(TrainingJobName="stops")
    time.sleep(0.5)
    sagemaker.stop_training_job(TrainingJobName="stops")
    assert ended(cloud, "stops")["TrainingJobStatus"] == "Stopped"
    client(cloud, "s3").head_object(Bucket=bucket, Key="artifacts/stops/output/model.tar.gz")
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stops")
    sagemaker.delete_training_job(TrainingJobName="stops")
    logs = client(cloud, "logs")
    assert logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix="stops/")["logStreams"]
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="stops")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 10, "MaxWaitTimeInSeconds": 20}}, "only supported when"),
        ({"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxRuntimeInSeconds": 10}}, "must be set when"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 10, "MaxWaitTimeInSeconds": 5},
            },
            "at least MaxRuntimeInSeconds",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.t9.huge", "InstanceCount": 1, "VolumeSizeInGB": 5}},
            "ml.t9.huge' at 'ResourceConfig.InstanceType'",
        ),
        (
            {"RoleArn": "not-a-role-but-long-enough"},
            "'RoleArn' failed to satisfy constraint: Member must satisfy pattern",
        ),
    ],
)
def test_bad_request_is_refused_with_awss_code(cloud, bucket, change, says):
    with pytest.raises(ClientError) as raised:
        create(cloud, bucket, "bad", STEPS, **change)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    assert says in raised.value.response["Error"]["Message"]


def test_duplicate_name_tags_and_listing(cloud, bucket):
    sagemaker = client(cloud, "sagemaker")
    arn = create(cloud, bucket, "first", "", Tags=[{"Key": "Team", "Value": "a"}])["TrainingJobArn"]
    ended(cloud, "first")
    with pytest.raises(ClientError, match="must be unique"):
        create(cloud, bucket, "first", "")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "Owner", "Value": "b"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["Team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "Owner", "Value": "b"}]
    pages = sagemaker.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 1})
    names = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    assert "first" in names and len(names) == len(set(names))
    with pytest.raises(ClientError, match="is not played by the local cloud"):
        sagemaker.list_endpoints()


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """What ListTrainingJobs answers for jobs `a-0` to `d-3`, of which each began 100 seconds after the one before."""
    monkeypatch.setattr("localcloud.sagemaker.service.Interfaces", lambda region: None)
    service = Service(tmp_path)
    for number, status in enumerate(("Completed", "Failed", "Completed", "Stopped")):
        name, began = f"{'abcd'[number]}-{number}", 1000.0 + 100 * number
        described = {"TrainingJobName": name, "TrainingJobStatus": status, "CreationTime": began}
        described |= {"TrainingJobArn": service.arn + name, "LastModifiedTime": began + 50, "SecondaryStatus": status}
        service.store.jobs[name] = {"described": described}

    def ask(**request):
        answer = service.call("ListTrainingJobs", request)
        return "".join(job["TrainingJobName"][0] for job in answer["TrainingJobSummaries"]), answer.get("NextToken")

    return ask


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({}, "abcd"),
        ({"SortOrder": "Descending"}, "dcba"),
        ({"SortBy": "Name", "SortOrder": "Descending"}, "dcba"),
        ({"SortBy": "Status"}, "acbd"),
        ({"CreationTimeAfter": 1100}, "cd"),
        ({"CreationTimeBefore": 1100}, "a"),
        ({"CreationTimeAfter": 1000, "CreationTimeBefore": 1300}, "bc"),
        ({"CreationTimeAfter": "1970-01-01T00:18:20Z"}, "cd"),
        ({"LastModifiedTimeAfter": 1150}, "cd"),
        ({"LastModifiedTimeBefore": 1151}, "ab"),
        ({"NameContains": "-2"}, "c"),
        ({"StatusEquals": "Completed"}, "ac"),
        ({"StatusEquals": "Completed", "CreationTimeAfter": 1000}, "c"),
        ({"StatusEquals": "Deleting"}, ""),
    ],
)
def test_a_listing_is_filtered_and_sorted(listed, request_, names):
    assert listed(**request_) == (names, None)


def test_a_status_is_looked_for_among_the_results_of_a_page_as_by_aws(listed):
    assert listed(StatusEquals="Completed", MaxResults=2) == ("a", "2")
    assert listed(StatusEquals="Completed", MaxResults=2, NextToken="2") == ("c", None)


def test_every_filter_of_the_model_is_played_or_refused_by_name(listed):
    members = MODEL.operation("ListTrainingJobs").input_shape.members
    played = {"SortBy", "SortOrder", "NextToken", "MaxResults", "NameContains", "StatusEquals"}
    played |= {f"{moment}{word}" for moment in MOMENTS for word in ("After", "Before")}
    assert set(members) == played | set(NOT_HELD)
    plan = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/a"
    for request in ({"WarmPoolStatusEquals": "InUse"}, {"TrainingPlanArnEquals": plan}):
        with pytest.raises(ServiceError, match=next(iter(request))):
            listed(**request)


def patterns(shape, seen):
    """Every pattern below a shape of botocore's model."""
    if shape.name in seen:
        return
    seen.add(shape.name)
    if shape.metadata.get("pattern"):
        yield shape.metadata["pattern"]
    below = list(getattr(shape, "members", {}).values()) if shape.type_name == "structure" else []
    below += [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
    for part in below:
        yield from patterns(part, seen)


@pytest.mark.parametrize("name", MODEL.supported)
def test_every_pattern_of_the_model_can_be_read(name):
    for pattern in patterns(MODEL.operation(name).input_shape, set()):
        re.compile(python_pattern(pattern))


def test_longest_wait_is_enforced(cloud, bucket):
    create(cloud, bucket, "waits", STEPS, spot=True, run=2)
    job = ended(cloud, "waits")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def running_below(home):
    found = []
    for process in psutil.process_iter():
        try:
            if home in Path(process.cwd()).parents:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("healing", ["up", "down"])
def test_killed_service_leaves_no_job_running_and_the_job_says_why(tmp_path, healing):
    described = supervisor.up(tmp_path)
    client(described, "s3").create_bucket(Bucket="state")
    client(described, "s3").put_object(Bucket="state", Key="data/train.csv", Body=b"a,b\n")
    create(described, "state", "orphan", "import time\ntime.sleep(120)")
    jobs = tmp_path / "cloud" / "jobs" / "orphan"
    assert wait_until(lambda: bool(running_below(jobs)), 20)
    os.kill(described["parts"]["sagemaker"]["pid"], signal.SIGKILL)
    try:
        if healing == "up":
            job = client(supervisor.up(tmp_path), "sagemaker").describe_training_job(TrainingJobName="orphan")
            assert job["TrainingJobStatus"] == "Failed"
            assert "the local cloud ended while the job ran" in job["FailureReason"]
    finally:
        supervisor.down(tmp_path)
    assert running_below(tmp_path) == []
