"""What workers do for the weighing: asking cases, setting lost work going, counting ahead."""

from uuid import UUID

from procrastinate import JobContext
from procrastinate.contrib.django import app

from annotate.jobs import own_connection
from evals.deciding import policy_in_force
from evals.reporting.ahead import count_ahead, forget_others_code, large_studies
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


@app.periodic(cron="* * * * *")
@app.task(name="count_large_studies", queueing_lock="count_ahead", lock="count_ahead")
def count_large_studies(timestamp: int) -> None:
    """One worker at a time: what one has counted, another need not."""
    with own_connection():
        count_all_large()


def count_all_large() -> None:
    """Count ahead what pages of large studies show, by the policy of each."""
    forget_others_code()
    for study in large_studies():
        policy = policy_in_force(study)
        for only in {"blind", policy.only}:
            count_ahead(study, only, policy.confidence, policy.ties)
