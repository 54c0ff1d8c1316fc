"""EventBridge and its Scheduler: the roles of rules, targets and schedules."""

from __future__ import annotations

from localcloud.protocol import invalid
from localcloud.refusals.account import Check
from localcloud.refusals.roles import check_role


def _check_event_role(place: str) -> Check:
    return check_role(
        "events",
        place,
        "events.amazonaws.com",
        lambda role: invalid(f"Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'."),
    )


_check_schedule_role = check_role(
    "scheduler",
    "Target.RoleArn",
    "scheduler.amazonaws.com",
    lambda role: invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role."),
)

CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("events", "PutRule"): (_check_event_role("RoleArn"),),
    ("events", "PutTargets"): (_check_event_role("Targets[].RoleArn"),),
    ("scheduler", "CreateSchedule"): (_check_schedule_role,),
    ("scheduler", "UpdateSchedule"): (_check_schedule_role,),
}
