"""`kata doctor`: what this machine has and lacks for a class, one finding a line with its mending command.

Readings (`readings`) go into pure checks (`checks`), findings come out. What an engine needs is the engine's
to say: engines.needs.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from kata_lib import engines, machine
from kata_lib.cli.doctor import checks, readings
from kata_lib.course.application import APPLICATION
from kata_lib.engines.need import Need
from kata_lib.errors import KataError


@dataclass(frozen=True)
class Report:
    """The machine's findings and those of the engines that were looked at: of `wanted` alone, or of all."""

    machine: list[Need]
    engines: dict[str, list[Need]]
    wanted: str | None = None

    @property
    def runs(self) -> list[str]:
        """The engines that lack nothing, of those that are wanted."""
        names = [self.wanted] if self.wanted else self.engines
        return [name for name in names if not _missing(self.engines[name])]

    @property
    def ready(self) -> bool:
        """Whether a learner can begin: one engine lacks nothing, and neither does the machine."""
        return bool(self.runs) and not _missing(self.machine)

    def json(self) -> str:
        """Return the report for programs."""
        by_engine = {name: [asdict(f) for f in found] for name, found in self.engines.items()}
        found = {"machine": [asdict(f) for f in self.machine], "engines": by_engine}
        return json.dumps({"ready": self.ready, "runs": self.runs, **found}, indent=2)

    def text(self) -> str:
        """Return the report for a person: one line a finding."""
        lines = [_line("machine", finding) for finding in self.machine]
        for name, found in self.engines.items():
            if self.wanted or name in self.runs or not self.runs:
                lines += [_line(name, finding) for finding in found]
            else:
                lines.append(_line(name, _lacks(name, found)))
        if self.ready:
            return "\n".join([*lines, f"Ready: the {self.runs[0]} engine runs here."])
        return "\n".join([*lines, "Not ready: see the lines that say missing."])


def examine(cluster: str) -> Report:
    """Take all readings for the cluster of that name, side by side, and check them; ends within 3 s.

    Raises EngineError for a cluster's name, or an engine's in KATA_ENGINE, that is none.
    """
    wanted = os.environ.get("KATA_ENGINE")
    client = readings.kubectl()
    folder = readings.place(machine.state_folder())
    with ThreadPoolExecutor() as pool:
        health = pool.submit(readings.health, cluster, client)
        version = pool.submit(readings.kubectl_version, client)
        names = [wanted] if wanted in engines.ENGINES else list(engines.ENGINES)
        needs = {name: pool.submit(_needs, name, cluster) for name in names}
        found = [
            checks.python(sys.version_info[:3]),
            checks.kubectl(client, version.result()),
            checks.memory(readings.memory_mb(), already=health.result().kubeconfig is not None),
            checks.disk(readings.disk_mb(folder.existing), folder.existing),
            checks.state(folder, os.getuid()),
            checks.files(readings.open_files()),
            checks.jupyter(readings.free_port(checks.JUPYTER_PORTS)),
            checks.cluster(cluster, health.result()),
        ]
        return Report(found, {name: need.result() for name, need in needs.items()}, wanted)


def _needs(engine: str, cluster: str) -> list[Need]:
    try:
        return engines.needs(APPLICATION, engine, cluster)
    except KataError as error:
        return [Need("engine", "missing", str(error))]


def _missing(findings: list[Need]) -> list[Need]:
    return [finding for finding in findings if finding.status == "missing"]


def _lacks(engine: str, found: list[Need]) -> Need:
    """Return in one line what an engine lacks that nobody asked for, where another one runs."""
    names = ", ".join(dict.fromkeys(finding.check for finding in _missing(found)))
    return Need("engine", "note", f"lacks {names}", f"kata doctor --engine {engine}")


def _line(part: str, finding: Need) -> str:
    mend = f"  ->  {finding.command}" if finding.command else ""
    return f"{finding.status:<7}  {part:<8}  {finding.check:<10}  {finding.found}{mend}"
