"""`recollect jobs`: how far understanding is behind, what failed, and another try for it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, counted
from recollect.cli.opening import Desk, open_desk
from recollect.cli.tenants import named_tenants
from recollect.core.model import Lag, ParkedJob, Principal
from recollect.core.progress import Progress
from recollect.settings import Settings
from recollect.wiring import SystemClock

_tenant = click.option("--tenant", help="The tenant. Without it: all of them, which takes the owner's URL.")
_PLACE = ("home", "database_url", "owner_database_url")


@click.group(invoke_without_command=True)
@click.pass_context
def jobs(context: click.Context) -> None:
    """Show how far understanding is behind, and try again what failed."""
    if context.invoked_subcommand is None:
        with status.make_context("status", [], parent=context) as own:
            status.invoke(own)


def _progress(desk: Desk) -> Progress:
    return Progress(desk.storage, SystemClock())


async def _principals(desk: Desk, settings: Settings, tenant: str | None) -> Sequence[tuple[str, Principal]]:
    """The operator in this tenant, or in each that there is."""
    if tenant:
        await desk.tenants.find(tenant)
    names = [tenant] if tenant else [one.name for one in await named_tenants(settings)]
    return [(name, desk.tenants.principal(name)) for name in names]


def _status(name: str, lag: Lag) -> str:
    jobs = lag.jobs
    behind = "nothing behind"
    if lag.sessions:
        oldest = f", the oldest for {lag.oldest_seconds:.0f} s" if lag.oldest_seconds is not None else ""
        behind = f"{counted(lag.messages, 'message')} in {counted(lag.sessions, 'session')} behind{oldest}"
    states = f"{jobs.waiting} waiting, {jobs.running} running, {jobs.retrying} retrying, {jobs.parked} parked"
    return f"{name}\t{behind}\t{states}"


def _parked(name: str, job: ParkedJob) -> str:
    at = f"{job.failed_at:%Y-%m-%d %H:%M}" if job.failed_at else ""
    return f"{job.id}\t{name}\t{job.session_id}\t{at}\t{counted(job.attempts, 'try', 'tries')}\t{job.reason}"


@command
@_tenant
@with_settings(*_PLACE)
async def status(console: Console, settings: Settings, tenant: str | None = None) -> None:
    """Show what is not understood yet, and the jobs there are to do it."""
    async with open_desk(settings) as desk:
        lags = {
            name: await _progress(desk).lag(principal)
            for name, principal in await _principals(desk, settings, tenant)
        }
    text = "\n".join(_status(name, lag) for name, lag in lags.items()) or "There is no tenant yet."
    console.show({"tenants": lags}, text)


@command
@_tenant
@with_settings(*_PLACE)
async def parked(console: Console, settings: Settings, tenant: str | None) -> None:
    """List the jobs that failed again and again, with the reason."""
    async with open_desk(settings) as desk:
        found = {
            name: await _progress(desk).parked_jobs(principal, limit=200)
            for name, principal in await _principals(desk, settings, tenant)
        }
    lines = [_parked(name, job) for name, parked_jobs in found.items() for job in parked_jobs]
    console.show({"parked": found}, "\n".join(lines) or "No job is parked.")


@command
@click.argument("job", type=int, required=False)
@click.option(
    "--all", "every", is_flag=True, help="All parked jobs, and sessions that are behind without one."
)
@_tenant
@with_settings(*_PLACE)
async def retry(
    console: Console, *, settings: Settings, tenant: str | None, job: int | None, every: bool
) -> None:
    """Try JOB, which `recollect jobs parked` lists, again from the start; or all with --all."""
    if (job is None) != every:
        raise click.UsageError("Give the id of a parked job, or --all.")
    if job is not None and tenant is None:
        raise click.UsageError("Give the --tenant of the job.")
    async with open_desk(settings) as desk:
        retried = 0
        for _, principal in await _principals(desk, settings, tenant):
            if job is None:
                retried += await _progress(desk).retry_jobs(principal)
            else:
                await _progress(desk).retry_job(principal, job)
                retried += 1
    console.show({"jobs": retried}, f"{counted(retried, 'job')} will be tried again.")


jobs.add_command(status)
jobs.add_command(parked)
jobs.add_command(retry)
