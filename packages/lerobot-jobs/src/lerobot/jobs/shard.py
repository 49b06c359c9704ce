"""Doing one shard, on whatever machine: what every engine calls."""

import functools
import json
import platform
import shutil
import time
from pathlib import Path

from lerobot.core.durable import flush_tree, make_folder, publish, replace_text
from lerobot.core.errors import JobError
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.plan import Plan, load_plan
from lerobot.jobs.receipt import Receipt, records
from lerobot.jobs.worker import find_worker


def run_shard(plan_file: Path, index: int) -> Receipt:
    """Do a shard, unless it is done.

    A kill at any instant leaves no receipt, and the next call begins the shard anew. Two calls at once do it once.

    Args:
        plan_file: the plan, in the folder of its job.
        index: number of the shard.

    Returns:
        What was done, now or before.

    Raises:
        JobError: there is no such plan or shard, or its result is no JSON.
        PluginError: no installed package brings the worker.
        LeRobotError: the worker cannot do it.
    """
    plan = _plan(plan_file)
    shard, job = plan.shard(index), JobFolder(plan_file.parent)
    with job.writing(shard):
        if receipt := job.receipt(shard, contents=True):
            return receipt
        worker = find_worker(plan.worker)
        aside, result = job.aside(shard), job.result(shard)
        for leftover in (aside, result):
            shutil.rmtree(leftover, ignore_errors=True)
        make_folder(aside)
        begun = time.monotonic()
        said = worker(shard.row, plan.settings, aside)
        seconds = round(time.monotonic() - begun, 3)
        try:
            data = json.loads(json.dumps(dict(said), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise JobError(f"worker {plan.worker!r} gave a result that is no JSON: {error}") from error
        flush_tree(aside)
        receipt = Receipt(
            shard=shard.name,
            worker=plan.worker,
            files=records(aside),
            data=data,
            host=platform.node(),
            seconds=seconds,
        )
        publish(aside, result)
        replace_text(job.receipt_file(shard), receipt.model_dump_json(indent=1))
    return receipt


def _plan(plan_file: Path) -> Plan:
    """The plan; the one that a process read last is not read again, for it has very many shards."""
    try:
        status = plan_file.stat()
    except OSError:
        return load_plan(plan_file)
    return _known_plan(plan_file, status.st_ino, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=1)
def _known_plan(plan_file: Path, *_identity: int) -> Plan:
    return load_plan(plan_file)
