"""Component resources: one in each module; none knows the name of an environment."""

from components.sdk import import_modules_singly

import_modules_singly()
