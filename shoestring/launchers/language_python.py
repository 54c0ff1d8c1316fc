"""`pulumi-language-python`: the language host that the engine starts to run Python programs.

Speaks `pulumirpc.LanguageRuntime` over the SDK's own stubs: runs programs (`Run`) and plugins written in Python
(`RunPlugin`: policy packs and component packages), and says which provider plugins a program needs.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from shoestring.launchers.program import REPORTED

WATCHED = str(Path(__file__).with_name("watched.py"))  # a plugin's own environment may lack this package
CHUNK = 64 * 1024  # bytes of a plugin's output in one message, at the most
MAX_MESSAGE = 400 * 1024 * 1024  # bytes; the limit that the engine itself uses


def _interpreter(info: Any) -> str:
    """The Python that runs a program: of its `virtualenv` option (relative to its root), or this one."""
    if "virtualenv" in info.options:
        python = Path(info.root_directory, info.options["virtualenv"], "bin", "python")
        if python.exists():
            return str(python)
    return sys.executable


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """One engine's language host; `engine` is the engine's address for logs."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """The provider plugins of the installed `pulumi-*` distributions (`pulumi-plugin.json` in each)."""
        packages = []
        for name in ("pulumi_aws", "pulumi_kubernetes"):
            manifests = (Path(folder, name, "pulumi-plugin.json") for folder in sys.path)
            if manifest := next(filter(Path.exists, manifests), None):
                plugin = json.loads(manifest.read_text())
                if plugin.get("resource"):
                    dependency = {"name": plugin["name"], "kind": "resource", "version": plugin["version"]}
                    packages.append(plugin_pb2.PackageDependency(**dependency))
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def Run(self, request: Any, context: Any) -> Any:
        program = request.info.program_directory or request.pwd
        if request.info.entry_point and request.info.entry_point != ".":
            program = str(Path(program, request.info.entry_point))
        settings = {
            "monitor": request.monitor_address,
            "engine": self.engine,
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        job = json.dumps({"program": program, "args": list(request.args), "settings": settings})
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [_interpreter(request.info), "-u", WATCHED, "shoestring.launchers.program", job]
        process = subprocess.Popen(command, cwd=request.pwd, env=environment)
        context.add_callback(process.terminate)  # the engine went away: so does the program
        code = process.wait()
        if code == 0:
            return language_pb2.RunResponse()
        if code == REPORTED:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program exited with code {code}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Streams a plugin's output and, at its end, its exit code."""
        directory = request.info.program_directory
        python = _interpreter(request.info)
        if request.kind == "analyzer":
            command = [python, "-u", WATCHED, "pulumi.policy", *request.args, directory]
        else:
            command = [python, "-u", WATCHED, directory, *request.args]
        process = subprocess.Popen(
            command,
            cwd=request.pwd or directory,
            env=dict(item.split("=", 1) for item in request.env) or None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(process.kill)
        assert process.stdout and process.stderr
        with selectors.DefaultSelector() as streams:
            streams.register(process.stdout, selectors.EVENT_READ)
            streams.register(process.stderr, selectors.EVENT_READ)
            while streams.get_map():
                for stream, _ in streams.select():
                    chunk, response = os.read(stream.fd, CHUNK), language_pb2.RunPluginResponse
                    if not chunk:
                        streams.unregister(stream.fileobj)
                    elif stream.fileobj is process.stdout:
                        yield response(stdout=chunk)
                    else:
                        yield response(stderr=chunk)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"The project's own set-up installs its dependencies (make setup).\n"
        )

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        dependencies = [
            language_pb2.DependencyInfo(name=distribution.metadata["Name"], version=distribution.version)
            for distribution in importlib.metadata.distributions()
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)


def main() -> None:
    """Serves until the engine ends this process; the port is the first line of standard output."""
    engine = sys.argv[-1]
    options = [(f"grpc.max_{way}_message_length", MAX_MESSAGE) for way in ("receive", "send")]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for ending in (signal.SIGINT, signal.SIGTERM):  # how the engine ends its plugins
        signal.signal(ending, lambda *_: server.stop(0))
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
