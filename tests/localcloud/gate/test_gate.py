"""The front door of a running cloud: who has its keys is let in by every way that AWS knows, and nobody else."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
import requests
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from localcloud import sockets, supervisor
from localcloud.gate.credentials import Credentials as Known
from localcloud.gate.signature import Refusal, Signature
from localcloud.keys import ISSUED, Keys, client_arguments
from localcloud.processes import wait_until
from serving.client import FunctionUrl
from shoestring.base.errors import UserError
from tests.conftest import client, role

ONCE = Config(retries={"total_max_attempts": 1})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"}}]})  # fmt: skip
# What no function on AWS can do without rights, from within one: asks who it is, and for a SageMaker job's list.
ASKS = """
import boto3, os
def handler(event, context):
    number = boto3.client("sts").get_caller_identity()["Account"]
    jobs = boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return {"number": number, "jobs": jobs, "key": os.environ["AWS_ACCESS_KEY_ID"],
            "secret": os.environ["AWS_SECRET_ACCESS_KEY"], "method": event.get("requestContext", {}).get("http", {})}
"""
CALLS = [
    ("s3", "list_buckets", "AccessDenied"),
    ("sts", "get_caller_identity", "MissingAuthenticationToken"),
    ("ec2", "describe_vpcs", "MissingAuthenticationToken"),
    ("ssm", "describe_parameters", "MissingAuthenticationTokenException"),
    ("sagemaker", "list_training_jobs", "MissingAuthenticationTokenException"),
    ("lambda", "list_functions", "MissingAuthenticationTokenException"),
    ("ce", "get_anomaly_monitors", "MissingAuthenticationTokenException"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    yield folder
    supervisor.down(folder)


@pytest.fixture(scope="module")
def cloud(home):
    described = supervisor.up(home)
    client(described, "s3").create_bucket(Bucket="bucket")
    return described


@pytest.fixture(scope="module")
def s3(cloud):
    return client(cloud, "s3")


def refusal(cloud, service: str, operation: str, **other) -> tuple[str, int]:
    """Code and status of what a client with these arguments is answered."""
    arguments = {**client_arguments(cloud), "config": ONCE, **other}
    with pytest.raises(ClientError) as caught:
        getattr(boto3.client(service, **arguments), operation)()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def own_keys(cloud) -> Credentials:
    return Credentials(cloud["variables"]["AWS_ACCESS_KEY_ID"], cloud["variables"]["AWS_SECRET_ACCESS_KEY"])


def signed(cloud, body=b"{}", **headers):
    """A signed request to describe parameters, as headers and body."""
    target = {"X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", cloud["aws_endpoint"] + "/", headers={**target, **headers}, data=body)
    SigV4Auth(own_keys(cloud), "ssm", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize(("service", "operation", "code"), CALLS)
def test_a_request_without_a_signature_is_refused(cloud, service, operation, code):
    unsigned = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    assert refusal(cloud, service, operation, config=unsigned)[0] == code


@pytest.mark.parametrize(
    ("service", "operation", "unknown", "wrong"),
    [
        ("s3", "list_buckets", ("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403)),
        ("sts", "get_caller_identity", ("InvalidClientTokenId", 403), ("SignatureDoesNotMatch", 403)),
        ("ec2", "describe_vpcs", ("AuthFailure", 401), ("AuthFailure", 401)),
        ("ssm", "describe_parameters", ("UnrecognizedClientException", 400), ("InvalidSignatureException", 400)),
        ("lambda", "list_functions", ("UnrecognizedClientException", 403), ("InvalidSignatureException", 403)),
    ],
)
def test_wrong_keys_are_refused_in_the_words_of_each_service(cloud, service, operation, unknown, wrong):
    assert refusal(cloud, service, operation, aws_access_key_id="AKIAUNKNOWN") == unknown
    assert refusal(cloud, service, operation, aws_secret_access_key="wrong") == wrong
    assert refusal(cloud, service, operation, aws_access_key_id="test", aws_secret_access_key="test") == unknown


def test_a_token_that_belongs_to_no_key_is_refused(cloud):
    assert refusal(cloud, "sts", "get_caller_identity", aws_session_token="old")[0] == "InvalidClientTokenId"
    assert refusal(cloud, "s3", "list_buckets", aws_session_token="old")[0] == "InvalidToken"


def test_a_changed_body_is_refused(cloud, s3):
    headers = signed(cloud)
    assert requests.post(cloud["aws_endpoint"] + "/", b"{}", headers=headers).status_code == 200
    answer = requests.post(cloud["aws_endpoint"] + "/", b'{"MaxResults": 1}', headers=headers)
    assert (answer.status_code, answer.json()["__type"]) == (400, "InvalidSignatureException")
    request = AWSRequest("PUT", f"{cloud['aws_endpoint']}/bucket/changed", data=b"as signed")
    S3SigV4Auth(own_keys(cloud), "s3", "us-east-1").add_auth(request)
    answer = requests.put(request.url, b"different", headers=dict(request.headers.items()))
    assert answer.status_code == 400 and "XAmzContentSHA256Mismatch" in answer.text
    assert not s3.list_objects_v2(Bucket="bucket", Prefix="changed").get("Contents")


def test_an_old_request_is_refused(cloud, monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=16))
    answer = requests.post(cloud["aws_endpoint"] + "/", b"{}", headers=signed(cloud))
    assert answer.status_code == 400 and "Signature expired" in answer.json()["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1:9"}, 421),
        ({"Host": "localhost.evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1.evil.example:{port}"}, 421),
        ({"Host": "s3.us-east-1.amazonaws.com"}, 421),
    ],
)
def test_foreign_pages_and_rebound_names_get_nothing_even_with_the_keys(cloud, headers, status):
    port = str(urlsplit(cloud["aws_endpoint"]).port)
    headers = {name: value.replace("{port}", port) for name, value in headers.items()}
    answer = requests.post(cloud["aws_endpoint"] + "/", b"{}", headers={**signed(cloud, **headers), **headers})
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_preflight_is_refused_and_no_answer_lets_a_page_read_it(cloud, s3):
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert requests.options(cloud["aws_endpoint"] + "/", headers=asked).status_code == 403
    assert requests.options(cloud["aws_endpoint"] + "/").status_code == 403
    answer = s3.list_buckets()["ResponseMetadata"]["HTTPHeaders"]
    assert not [name for name in answer if name.startswith("access-control-")]


def test_the_emulators_own_pages_are_not_to_be_had(cloud):
    for path in ("/_ministack/health", "/_ministack/reset", "/_localstack/health", "/health"):
        assert requests.get(cloud["aws_endpoint"] + path).status_code == 403
    client(cloud, "ssm").put_parameter(Name="/kept", Value="value", Type="String")
    request = AWSRequest("POST", cloud["aws_endpoint"] + "/_ministack/reset", data=b"")
    SigV4Auth(own_keys(cloud), "ssm", "us-east-1").add_auth(request)
    assert requests.post(request.url, b"", headers=dict(request.headers.items())).status_code == 404
    assert client(cloud, "ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "value"


def test_objects_go_in_and_out_whole(cloud, s3, tmp_path):
    key, large = "a b/ü+~&=%.txt", os.urandom(20 << 20)
    s3.put_object(Bucket="bucket", Key=key, Body=b"text", Metadata={"name": "value"})
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == b"text"
    assert s3.head_object(Bucket="bucket", Key=key)["Metadata"] == {"name": "value"}
    assert s3.get_object(Bucket="bucket", Key=key, Range="bytes=1-2")["Body"].read() == b"ex"
    (tmp_path / "large").write_bytes(large)
    s3.upload_file(str(tmp_path / "large"), "bucket", "large")  # in parts, at once
    s3.put_object(Bucket="bucket", Key="larger", Body=large)
    for name in ("large", "larger"):
        s3.download_file("bucket", name, str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == large
    s3.upload_fileobj(io.BytesIO(b""), "bucket", "empty")
    assert s3.head_object(Bucket="bucket", Key="empty")["ContentLength"] == 0
    assert not list((Path(cloud["sockets"]).parent / "tmp").glob("tmp*")), "a body was left behind"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_links_work_for_who_has_no_keys_and_end(cloud, version):
    s3 = client(cloud, "s3", config=Config(signature_version=version))
    put = s3.generate_presigned_url("put_object", {"Bucket": "bucket", "Key": f"by link {version}"}, ExpiresIn=60)
    get = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": f"by link {version}"}, ExpiresIn=60)
    assert requests.put(put, b"by link").status_code == 200
    assert requests.get(get).content == b"by link"
    assert requests.put(get, b"other").status_code == 403
    assert requests.get(get.replace("by%20link", "other")).status_code == 403
    short = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": f"by link {version}"}, ExpiresIn=1)
    time.sleep(2.1)
    answer = requests.get(short)
    assert answer.status_code == 403 and "Request has expired" in answer.text


def test_a_role_and_a_user_have_keys_of_their_own(home, cloud):
    iam = client(cloud, "iam")
    arn = iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    given = client(cloud, "sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    own = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    token = {"aws_session_token": given["SessionToken"]}
    arguments = {**client_arguments(cloud), **own}
    sts = boto3.client("sts", **arguments, **token)
    assert sts.get_caller_identity()["Arn"].endswith("assumed-role/role/session")
    assert refusal(cloud, "sts", "get_caller_identity", **own)[0] == "InvalidClientTokenId"
    assert refusal(cloud, "s3", "list_buckets", **own, aws_session_token="other")[0] == "InvalidToken"
    link = boto3.client("s3", **arguments, **token).generate_presigned_url("list_buckets")
    assert requests.get(link).status_code == 200

    path = home / "cloud" / ISSUED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    iam.create_user(UserName="user")
    made = iam.create_access_key(UserName="user")["AccessKey"]
    users = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    sts = boto3.client("sts", **{**client_arguments(cloud), **users})
    assert sts.get_caller_identity()["Arn"].endswith(":user/user")
    iam.delete_access_key(UserName="user", AccessKeyId=made["AccessKeyId"])
    assert refusal(cloud, "sts", "get_caller_identity", **users)[0] == "InvalidClientTokenId"


def test_a_session_ends(home, cloud):
    known = Known(Keys.load(home / "cloud"), home / "cloud" / "tmp")
    ended = "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    seen = Signature("ASIA", "20200101", "us-east-1", "sts", ("host",), "0", "20200101T000000Z", "t")
    known.note(f"<a>{ended}<Expiration>{datetime.now(UTC) + timedelta(minutes=1)}</Expiration></a>".encode(), {}, "")
    assert known.secret(seen) == "s"
    assert Known(Keys.load(home / "cloud"), home / "cloud" / "tmp").secret(seen) == "s", "it outlives a restart"
    known.note(f"<a>{ended}<Expiration>{datetime.now(UTC) - timedelta(minutes=1)}</Expiration></a>".encode(), {}, "")
    with pytest.raises(Refusal, match="old token"):
        known.secret(seen)


def test_functions_have_a_key_and_their_urls_want_one(home, cloud, monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", ASKS)
    functions = client(cloud, "lambda")
    arn = role(client(cloud, "iam"), "functions", "lambda.amazonaws.com")
    functions.create_function(
        FunctionName="asks", Runtime="python3.11", Role=arn, Handler="f.handler",
        Code={"ZipFile": packed.getvalue()}, Timeout=30,
    )  # fmt: skip
    answer = json.loads(functions.invoke(FunctionName="asks", Payload=b"{}")["Payload"].read())
    assert (answer["number"], answer["jobs"], answer["key"]) == ("000000000000", [], "000000000000")
    keys = Keys.load(home / "cloud")
    assert answer["secret"] == keys.functions_secret != keys.secret_key
    url = functions.create_function_url_config(FunctionName="asks", AuthType="AWS_IAM")["FunctionUrl"]
    host = urlsplit(url).netloc
    unsigned = requests.post(cloud["aws_endpoint"], b"{}", headers={"Host": host})
    assert unsigned.status_code == 403 and "secret" not in unsigned.text
    foreign = requests.post(cloud["aws_endpoint"], b"{}", headers={"Host": host, "Origin": "http://evil.example"})
    assert foreign.status_code == 403
    for name, value in cloud["variables"].items():
        monkeypatch.setenv(name, value)
    status, answer = FunctionUrl(url, "us-east-1", cloud["aws_endpoint"]).describe()
    assert status == 200 and answer["method"]["method"] == "GET"


def test_what_aws_refuses_and_the_emulator_takes_is_refused(cloud):
    arn = role(client(cloud, "iam"), "functions", "lambda.amazonaws.com")
    arguments = {"FunctionName": "large", "Runtime": "python3.11", "Role": arn, "Handler": "f.handler",
                 "Code": {"ZipFile": b"x"}}  # fmt: skip
    functions = client(cloud, "lambda", config=ONCE)
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*exceeded the 4KB limit"):
        functions.create_function(**arguments, Environment={"Variables": {"A": "x" * 4096}})


def test_nothing_of_the_cloud_is_open_to_other_users(home, cloud):
    folder = home / "cloud"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(cloud["sockets"]).stat().st_mode) == 0o700
    assert stat.S_IMODE(Keys.path(folder).stat().st_mode) == 0o600
    secret = Keys.load(folder).secret_key
    assert secret not in (folder / "cloud.json").read_text()
    for process in psutil.process_iter():
        try:
            assert secret not in " ".join(process.cmdline()), "everybody reads the words of a command"
        except psutil.Error:
            continue
    assert all(stat.S_ISSOCK(path.stat().st_mode) for path in Path(cloud["sockets"]).iterdir())


def test_a_killed_gate_is_healed_with_the_same_keys_and_port(home, cloud):
    os.kill(cloud["parts"]["gate"]["pid"], 9)
    assert wait_until(lambda: supervisor.status(home)["parts"]["gate"] == "dead", 5)
    healed = supervisor.up(home)
    assert healed["variables"] == cloud["variables"]
    assert client(healed, "s3").head_bucket(Bucket="bucket")


def test_down_leaves_no_port_and_no_socket_and_fresh_makes_new_keys(tmp_path):
    first = supervisor.up(tmp_path)
    supervisor.down(tmp_path)
    assert not Path(first["sockets"]).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(first["aws_endpoint"]).port)) != 0
    assert supervisor.up(tmp_path)["variables"] == first["variables"]
    fresh = supervisor.up(tmp_path, fresh=True)
    try:
        assert fresh["aws_endpoint"] == first["aws_endpoint"]
        assert fresh["variables"]["AWS_SECRET_ACCESS_KEY"] != first["variables"]["AWS_SECRET_ACCESS_KEY"]
        assert refusal(first, "sts", "get_caller_identity")[0] == "InvalidClientTokenId"
    finally:
        supervisor.down(tmp_path)


def test_a_shell_with_another_runtime_folder_finds_the_sockets(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    cloud = tmp_path / ("long" * 30) / "cloud"
    folder = sockets.make_folder(cloud)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert sockets.folder(cloud) == sockets.make_folder(cloud) == folder
    copied = tmp_path / ("copy" * 30) / "cloud"
    copied.mkdir(parents=True)
    (copied / "run").symlink_to(folder)  # as `cp -a` of a checkout leaves it
    assert sockets.folder(copied).name != folder.name


def test_a_long_path_has_its_sockets_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    cloud = tmp_path / ("long" * 30) / "cloud"
    folder = sockets.make_folder(cloud)
    assert folder.parent == tmp_path and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sockets.folder(cloud) == folder != sockets.folder(tmp_path / ("longer" * 30) / "cloud")
    assert sockets.folder(tmp_path / "cloud") == tmp_path / "cloud" / "run"
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(UserError, match="a folder of your own"):
        sockets.make_folder(cloud)
