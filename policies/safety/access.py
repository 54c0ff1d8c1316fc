"""The rules about public access: buckets, their access blocks, databases, and functions with an address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource
from policies.values import at, documents, each, off, on, snake, text, texts
from policies.waste.storage import BUCKETS, about

ACLS = (*BUCKETS, "aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
OPEN_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
NARROW = ("sourceip", "sourcevpc", "sourcevpce", "principalorgid", "principalaccount", "sourceaccount", "sourcearn",
          "principalarn", "principalorgpaths", "viaawsservice", "sourceowner")  # fmt: skip
DATABASES = (
    "aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance", "aws:redshift/cluster:Cluster",
    "aws:dms/replicationInstance:ReplicationInstance", "aws:neptune/clusterInstance:ClusterInstance",
)  # fmt: skip
URL, PERMISSION = "aws:lambda/functionUrl:FunctionUrl", "aws:lambda/permission:Permission"


def _traffic(context: Context) -> str:
    return f"whatever strangers download: {context.each('data-transfer', 'internet-out')}"


def narrowed(statement: Mapping[str, Any]) -> bool:
    """Whether a statement's condition holds it to certain callers."""
    conditions = at(statement, "Condition")
    for keys in conditions.values() if isinstance(conditions, Mapping) else ():
        for key in keys if isinstance(keys, Mapping) else ():
            if str(key).rpartition(":")[2].lower() in NARROW:
                return True
    return False


def anybody(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows everybody in the world something."""
    principal = at(statement, "Principal")
    everyone = principal == "*" or "*" in texts(at(principal, "AWS")) or "*" in texts(principal)
    return at(statement, "Effect") == "Allow" and (everyone or "NotPrincipal" in statement) and not narrowed(statement)


def check_buckets(found: Resource, context: Context) -> Iterator[Finding]:
    """Findings for ACLs, grants, policies and access blocks that let strangers in."""
    if found.type == BLOCK:
        for flag in FLAGS:
            value = at(found.props, flag)
            if off(value):
                yield Finding(snake(flag), value, f"{snake(flag)}=True", _traffic(context))
    elif found.type == POLICY:
        for statement in documents(at(found.props, "policy")):
            if anybody(statement):
                named = text(at(statement, "Sid")) or ", ".join(texts(at(statement, "Action")))
                yield Finding(
                    f"policy, statement {named}, Principal", at(statement, "Principal"),
                    "Principal={'AWS': 'arn of who needs it'}, or a Condition on aws:SourceVpce or aws:PrincipalOrgID",
                    _traffic(context),
                )  # fmt: skip
    else:
        acl = at(found.props, "acl")
        if acl in OPEN_ACLS:
            yield Finding("acl", acl, 'acl="private", or no acl at all', _traffic(context))
        grants = [*each(at(found.props, "grants")), *each(at(found.props, "accessControlPolicy", "grants"))]
        for grant in grants:
            uri = at(grant, "uri") or at(grant, "grantee", "uri")
            if uri in EVERYBODY:
                yield Finding("grants", uri, "no grant to everybody", _traffic(context))


def check_block(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each bucket without a public access block."""
    for bucket in stack.of(*BUCKETS):
        if not about(stack, bucket, (BLOCK,)):
            change = f"a BucketPublicAccessBlock for it with {', '.join(f'{snake(flag)}=True' for flag in FLAGS)}"
            yield Finding("public access block", None, change, f"without it, {_traffic(context)}", bucket)


def check_databases(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for a database with an address in the internet."""
    value = at(found.props, "publiclyAccessible")
    if on(value) or (value is None and found.type == "aws:redshift/cluster:Cluster"):
        yield Finding(
            "publicly_accessible",
            value,
            "publicly_accessible=False",
            f"its public address: {context.each('vpc', 'public-ipv4', found)}",
        )


def check_functions(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for a function that anybody may call."""
    if found.type == URL:
        value = at(found.props, "authorizationType")
        if value == "NONE":
            calls = f"strangers' requests are yours to pay: {context.each('lambda', 'requests', found)}, and their time"
            yield Finding("authorization_type", value, 'authorization_type="AWS_IAM"', calls)
        return
    keys = ("sourceAccount", "sourceArn", "principalOrgId")
    everybody = at(found.props, "principal") == "*" and not any(at(found.props, key) for key in keys)
    if everybody and at(found.props, "functionUrlAuthType") != "AWS_IAM":
        yield Finding("principal", "*", "principal=the account or service, or source_account=…, source_arn=…")


def _url(kind: str) -> Resource:
    return resource(URL, "inference", functionName="inference", authorizationType=kind)


def _policy(principal: Any) -> Resource:
    statement = {
        "Sid": "Read", "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::models/*",
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return resource(POLICY, "models", bucket="models", policy=document)


def _database(public: bool) -> Resource:
    return resource(
        DATABASES[0], "tracking", engine="postgres", instanceClass="db.t4g.micro", allocatedStorage=20,
        publiclyAccessible=public,
    )  # fmt: skip


_CLOSED = dict.fromkeys(FLAGS, True)
PUBLIC_BUCKETS = Rule(
    name="public-buckets",
    group="safety",
    description="No bucket is open to everybody.",
    why="Open buckets are how training data and models leak, and their owner pays for the downloads.",
    change="Private ACLs, policies that name who needs the bucket, and access blocks with all four flags.",
    types=(*ACLS, POLICY, BLOCK),
    check=check_buckets,
    fails=Example((_policy("*"),)),
    passes=Example((_policy({"AWS": "arn:aws:iam::123456789012:role/inference"}),)),
)
PUBLIC_ACCESS_BLOCK = Rule(
    name="public-access-block",
    group="safety",
    description="Every bucket has a public access block.",
    why="It keeps a bucket closed whatever ACL or policy somebody writes later.",
    change="Add a BucketPublicAccessBlock with all four flags.",
    check_stack=check_block,
    fails=Example((resource(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            resource(BUCKETS[0], "models", bucket="models"),
            resource(BLOCK, "models-private", needs={"bucket": "models"}, **_CLOSED),
        )
    ),
)
PUBLIC_DATABASES = Rule(
    name="public-databases",
    group="safety",
    description="No database has a public address.",
    why="A database in the internet is tried by strangers within minutes; people reach it through Session Manager.",
    change="Set publicly_accessible to False.",
    types=DATABASES,
    check=check_databases,
    fails=Example((_database(True),)),
    passes=Example((_database(False),)),
)
PUBLIC_FUNCTIONS = Rule(
    name="public-functions",
    group="safety",
    description="Functions answer signed requests only.",
    why="A function URL without authorization lets anybody run it, at your cost, as often as they like.",
    change='Set authorization_type to "AWS_IAM"; hold permissions to an account, a source or an organisation.',
    types=(URL, PERMISSION),
    check=check_functions,
    fails=Example((_url("NONE"),)),
    passes=Example((_url("AWS_IAM"),)),
)
