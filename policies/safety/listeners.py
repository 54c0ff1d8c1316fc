"""The rule `tls-listeners`: what goes through a load balancer cannot be read on its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.values import UNKNOWN, at, items, text

LISTENERS = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
LISTENER_RULES = ("aws:lb/listenerRule:ListenerRule", "aws:alb/listenerRule:ListenerRule")
CLASSIC = "aws:elb/loadBalancer:LoadBalancer"
READ = (
    "whoever is on the way reads and changes requests, their credentials and the answers; certificates of ACM are free"
)
CHANGE = 'protocol="HTTPS" with certificate_arn, or a redirect to HTTPS as the only action'


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each listener, and each rule of one, that answers plain HTTP with more than a redirect to TLS."""
    for listener in stack.of(*LISTENERS):
        if not _plain(listener):
            continue
        if not _redirects(at(listener.props, "defaultActions")):
            yield Violation("protocol", at(listener.props, "protocol"), CHANGE, READ, listener)
        for rule in stack.of(*LISTENER_RULES):
            ours = listener.urn in rule.dependencies.get("listenerArn", ())
            if ours and not _redirects(at(rule.props, "actions")):
                where = f"actions, on the HTTP listener {listener.name},"
                yield Violation(
                    where, at(rule.props, "actions"), "a redirect to HTTPS, or the HTTPS listener", READ, rule
                )
    for balancer in stack.of(CLASSIC):
        for place, listener_block in enumerate(items(at(balancer.props, "listeners"))):
            protocol = at(listener_block, "lbProtocol")
            if text(protocol).upper() == "HTTP":
                prop = f"listeners[{place}].lb_protocol"
                yield Violation(prop, protocol, f'{prop}="https" with ssl_certificate_id', READ, balancer)


def _plain(listener: Resource) -> bool:
    """Whether a listener speaks HTTP, as those with a port and no protocol do. What TCP carries may be TLS."""
    protocol = at(listener.props, "protocol")
    if protocol is None:
        return at(listener.props, "port") is not None
    return text(protocol).upper() == "HTTP"


def _redirects(actions: Any) -> bool:
    """Whether all actions lead to HTTPS; what is unknown may do so."""
    if actions is UNKNOWN:
        return True
    return bool(items(actions)) and all(
        action is UNKNOWN or at(action, "redirect", "protocol") in ("HTTPS", UNKNOWN) for action in items(actions)
    )


def _listener(**props: Any) -> Resource:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
    return declare(
        LISTENERS[0], "predictions", loadBalancerArn=f"{arn}:loadbalancer/app/ml/50dc6c495c0c9188", **props,
        defaultActions=[{"type": "forward", "targetGroupArn": f"{arn}:targetgroup/ml/6d0ecf831eec9f09"}],
    )  # fmt: skip


TLS_LISTENERS = Rule(
    name="tls-listeners",
    group="safety",
    level="advisory",
    description="Load balancers speak TLS.",
    why="Plain HTTP shows predictions, and the tokens that ask for them, to everybody between client and balancer.",
    change="Listen with HTTPS and a certificate; let HTTP redirect there.",
    check_stack=check,
    fails=Example((_listener(port=80, protocol="HTTP"),)),
    passes=Example(
        (
            _listener(
                port=443, protocol="HTTPS", certificateArn="arn:aws:acm:us-east-1:123456789012:certificate/0123-4567"
            ),
        )
    ),
)
