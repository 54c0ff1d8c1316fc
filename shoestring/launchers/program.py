"""Runs one Pulumi Python program inside the engine, as the official distribution's `pulumi-language-python-exec` does.

Usage: `python -m shoestring.launchers.program REQUEST_JSON`, where the request is what `language_python` was handed.
Exit codes: 0 success, 32 an error that was already reported to the engine.
"""

import asyncio
import json
import os
import runpy
import signal
import sys
import traceback

REPORTED = 32


def main() -> None:
    """Configures the SDK's runtime for the engine's addresses and runs the program below it."""
    # The engine interrupts the program when it has decided to stop, and has reported why.
    signal.signal(signal.SIGINT, lambda *_: os._exit(REPORTED))
    request = json.loads(sys.argv[1])
    import pulumi  # here, for it is heavy: an interrupt meanwhile finds the handler above
    import pulumi.runtime

    program = request["program"]
    sys.argv = [program, *request["args"]]
    sys.path.insert(0, program if os.path.isdir(program) else os.path.dirname(program))
    pulumi.runtime.configure(pulumi.runtime.Settings(**request["settings"]))

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    code = 0
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        code = REPORTED
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback.format_exc())
        code = REPORTED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads of the gRPC client would hold up a normal exit.
    os._exit(code)


if __name__ == "__main__":
    main()
