"""The rules `public-buckets` and `public-access-block`: nobody but who is named reads what lies in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.shapes.buckets import BUCKETS, about
from policies.shapes.statements import anybody, statements
from policies.values import at, items, off, snake, text, texts

POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
ACCESS_POINT = "aws:s3/accessPoint:AccessPoint"
MANY_REGIONS = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
ACLS = (
    *BUCKETS, "aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucketObject:BucketObject",
    "aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/objectCopy:ObjectCopy",
)  # fmt: skip
POLICIES: dict[str, tuple[str, ...]] = {  # type → where its policy is
    **dict.fromkeys((*BUCKETS, POLICY, ACCESS_POINT), ("policy",)),
    "aws:s3control/accessPointPolicy:AccessPointPolicy": ("policy",),
    "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy": ("details", "policy"),
    "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy": ("policy",),
    "aws:s3tables/tableBucketPolicy:TableBucketPolicy": ("resourcePolicy",),
    "aws:s3tables/tablePolicy:TablePolicy": ("resourcePolicy",),
    "aws:s3/vectorsVectorBucketPolicy:VectorsVectorBucketPolicy": ("policy",),
}
FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
# Access points say the same in a block of their own, which is on altogether where it is absent.
OWN_FLAGS = {ACCESS_POINT: ("publicAccessBlockConfiguration",), MANY_REGIONS: ("details", "publicAccessBlock")}
OPEN_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
TRAFFIC = "strangers read it, and whatever they download is on its owner's bill"


def check_buckets(resource: Resource, context: Context) -> Iterator[Violation]:
    """Violations for ACLs, grants, policies and access blocks that let strangers in."""
    if resource.type in (BLOCK, ACCOUNT_BLOCK):
        for flag in FLAGS:
            value = at(resource.props, flag)
            if off(value):
                yield Violation(snake(flag), value, f"{snake(flag)}=True", TRAFFIC)
    if resource.type in OWN_FLAGS:
        path = OWN_FLAGS[resource.type]
        for flag in FLAGS:
            value = at(resource.props, *path, flag)
            if off(value) and value is not None:
                yield Violation(snake(".".join((*path, flag))), value, f"{snake(flag)}=True", TRAFFIC)
    if resource.type in POLICIES:
        yield from _policy(resource, POLICIES[resource.type])
    if resource.type in ACLS:
        yield from _acls(resource)


def _policy(resource: Resource, path: tuple[str, ...]) -> Iterator[Violation]:
    for statement in statements(at(resource.props, *path)):
        if anybody(statement):
            named = text(at(statement, "Sid")) or ", ".join(texts(at(statement, "Action")))
            key = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
            yield Violation(
                f"{snake('.'.join(path))}, statement {named}, {key}", at(statement, key),
                "Principal={'AWS': 'arn of who needs it'}, or a Condition on aws:SourceVpce or aws:PrincipalOrgID",
                TRAFFIC,
            )  # fmt: skip


def _acls(resource: Resource) -> Iterator[Violation]:
    acl = at(resource.props, "acl")
    if acl in OPEN_ACLS:
        yield Violation("acl", acl, 'acl="private", or no acl at all', TRAFFIC)
    grants = [*items(at(resource.props, "grants")), *items(at(resource.props, "accessControlPolicy", "grants"))]
    for grant in grants:
        uris = [at(grant, "uri"), at(grant, "grantee", "uri")]
        if uri := next((uri for uri in uris if uri in EVERYBODY), None):
            yield Violation("grants", uri, "no grant to everybody", TRAFFIC)


def check_block(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each bucket without a public access block."""
    for bucket in stack.of(*BUCKETS):
        if not about(stack, bucket, (BLOCK,)):
            change = f"a BucketPublicAccessBlock for it with {', '.join(f'{snake(flag)}=True' for flag in FLAGS)}"
            cost = "without it, one ACL or policy is enough, and whatever strangers download is on its owner's bill"
            yield Violation("public access block", None, change, cost, bucket)


def _reader(principal: Any) -> Resource:
    statement = {
        "Sid": "Read", "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::models/*",
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return declare(POLICY, "models", bucket="models", policy=document)


PUBLIC_BUCKETS = Rule(
    name="public-buckets",
    group="safety",
    description="No bucket is open to everybody.",
    why="Open buckets are how training data and models leak, and their owner pays for the downloads. Policies are "
    "looked at wherever they are written: at the bucket, beside it, at its access points.",
    change="Private ACLs, policies that name who needs the bucket, and access blocks with all four flags.",
    types=tuple(dict.fromkeys((*ACLS, *POLICIES, *OWN_FLAGS, BLOCK, ACCOUNT_BLOCK))),
    check=check_buckets,
    fails=Example((_reader("*"),)),
    passes=Example((_reader({"AWS": "arn:aws:iam::123456789012:role/inference"}),)),
)
PUBLIC_ACCESS_BLOCK = Rule(
    name="public-access-block",
    group="safety",
    description="Every bucket has a public access block.",
    why="It keeps a bucket closed whatever ACL or policy somebody writes later.",
    change="Add a BucketPublicAccessBlock with all four flags.",
    check_stack=check_block,
    fails=Example((declare(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            declare(BUCKETS[0], "models", bucket="models"),
            declare(BLOCK, "models-private", needs={"bucket": "models"}, **dict.fromkeys(FLAGS, True)),
        )
    ),
)
