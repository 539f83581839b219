"""Runs: started once, asked by any number of workers within every limit, ended once."""

from evals.running.ending import cancel_run, finish_runs, stop_run
from evals.running.lanes import Lane, lane_id
from evals.running.progress import Progress, progress_of
from evals.running.resuming import resumable, resume_runs
from evals.running.starting import RefusedRunError, start_runs
from evals.running.sweeping import LANE_JOB, queue_lane, sweep_runs
from evals.running.terms import Terms, terms_of
from evals.running.working import work_in_lane, work_on

__all__ = [
    "LANE_JOB",
    "Lane",
    "Progress",
    "RefusedRunError",
    "Terms",
    "cancel_run",
    "finish_runs",
    "lane_id",
    "progress_of",
    "queue_lane",
    "resumable",
    "resume_runs",
    "start_runs",
    "stop_run",
    "sweep_runs",
    "terms_of",
    "work_in_lane",
    "work_on",
]
