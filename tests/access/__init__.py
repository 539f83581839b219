"""Who may open what, room by room. A row is name: (GET, POST without fields)."""

from tests.access import annotate, automated, decision, endpoints, runs, sign_in, study, suites

TABLE = {
    **annotate.ROWS,
    **study.ROWS,
    **decision.ROWS,
    **automated.ROWS,
    **runs.ROWS,
    **suites.ROWS,
    **endpoints.ROWS,
    **sign_in.ROWS,
}
