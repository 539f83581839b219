"""What workers do for the weighing: asking the cases of runs, and setting lost work going again."""

from uuid import UUID

from procrastinate import JobContext
from procrastinate.contrib.django import app

from annotate.jobs import own_connection
from evals.running import LANE_JOB, sweep_runs, work_in_lane


@app.task(name=LANE_JOB, pass_context=True)
def work_lane(context: JobContext, pair: str, number: int) -> None:
    with own_connection():
        work_in_lane(UUID(pair), number, told_to_stop=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name="sweep_runs", queueing_lock="sweep_runs")
def sweep(timestamp: int) -> None:
    with own_connection():
        sweep_runs()
