"""The pack that `pulumi up --policy-pack policies` runs: every rule, and nothing else."""

import sys
from pathlib import Path

# Pulumi puts this folder itself first on the path; the packages `policies` and `costs` lie beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from policies.catalog import RULES  # noqa: E402
from policies.server import serve  # noqa: E402

serve(RULES)
