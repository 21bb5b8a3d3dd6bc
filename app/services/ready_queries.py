"""Ready questions to the trace log: SQL for the investigation of errors and for analysis.

Every one looks at a bounded part of the log, through an index. Their `:names` are filled in by the
reader; titles and labels stand where the pages are made.
"""

# The SQL stands here whole; what a reader types goes in through `:names`.
# ruff: noqa: S608

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["number", "text"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `:name` of a query. Numbers are whole and not negative; an empty default must be filled."""

    name: str
    kind: Kind
    default: str = ""


@dataclass(frozen=True, slots=True)
class ReadyQuery:
    """A query under its key. `chart` are the columns of its labels and its values."""

    key: str
    group: Literal["errors", "analysis"]
    sql: str
    parameters: tuple[Parameter, ...] = ()
    chart: tuple[str, str] | None = None


_HOURS: Final = Parameter("hours", "number", "24")
_SINCE: Final = "created_at >= strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || :hours || ' hours')"
_ROUTE: Final = """coalesce(request_header ->> '$.":route"', endpoint)"""


def _body_bytes(column: str) -> str:
    """SQL for the size of a whole body, also where only a part or nothing of it was kept."""
    notes = ", ".join(f"""{column} ->> '$.":{note}"'""" for note in ("cut", "size", "unreadable"))
    return f"coalesce({notes}, length({column}), 0)"


READY_QUERIES: Final = (
    ReadyQuery(
        "failed-steps-of-500s",
        "errors",
        f"""SELECT a.created_at, a.method, a.endpoint, t.task_name, t.step_name, t.error_message,
       a.user_id, a.trace_id
FROM api_logs AS a
JOIN task_progress_logs AS t ON t.trace_id = a.trace_id AND t.status = 'FAILED'
WHERE a.response_status >= 500 AND a.{_SINCE}
  AND (t.task_name <> 'HTTP' OR NOT EXISTS (
    SELECT 1 FROM task_progress_logs AS other
    WHERE other.trace_id = a.trace_id AND other.status = 'FAILED' AND other.task_name <> 'HTTP'))
ORDER BY a.id DESC""",
        (_HOURS,),
    ),
    ReadyQuery(
        "trace-in-order",
        "errors",
        """SELECT created_at, 'request' AS kind, method || ' ' || endpoint AS what,
       response_status AS status, duration_ms, NULL AS error_message
FROM api_logs WHERE trace_id = :trace_id
UNION ALL
SELECT created_at, 'step', task_name || ' › ' || step_name, status, NULL, error_message
FROM task_progress_logs WHERE trace_id = :trace_id
ORDER BY created_at""",
        (Parameter("trace_id", "text"),),
    ),
    ReadyQuery(
        "most-failing-steps",
        "errors",
        f"""SELECT task_name || ' › ' || step_name AS step,
       sum(status = 'FAILED') AS failed, sum(status = 'SUCCESS') AS succeeded,
       round(100.0 * sum(status = 'FAILED') / count(*), 1) AS failed_percent,
       max(CASE WHEN status = 'FAILED' THEN created_at END) AS last_failure
FROM task_progress_logs
WHERE status IN ('SUCCESS', 'FAILED') AND {_SINCE}
GROUP BY step HAVING failed > 0
ORDER BY failed DESC""",
        (_HOURS,),
        ("step", "failed"),
    ),
    ReadyQuery(
        "error-messages",
        "errors",
        f"""SELECT substr(error_message, 1, 200) AS error, count(*) AS times,
       count(DISTINCT trace_id) AS traces, min(created_at) AS first, max(created_at) AS last
FROM task_progress_logs
WHERE status = 'FAILED' AND {_SINCE}
GROUP BY error
ORDER BY times DESC""",
        (_HOURS,),
        ("error", "times"),
    ),
    ReadyQuery(
        "new-errors",
        "errors",
        f"""WITH failed AS (
  SELECT substr(error_message, 1, 200) AS error, created_at, trace_id
  FROM task_progress_logs
  WHERE status = 'FAILED' AND created_at >= strftime('%Y-%m-%d %H:%M:%f', 'now', '-14 days')
)
SELECT error, count(*) AS times, min(created_at) AS first, max(trace_id) AS trace_id
FROM failed
GROUP BY error HAVING min({_SINCE}) = 1
ORDER BY first DESC""",
        (_HOURS,),
    ),
    ReadyQuery(
        "traces-with-error",
        "errors",
        f"""SELECT created_at, task_name, step_name, error_message, trace_id
FROM task_progress_logs
WHERE status = 'FAILED' AND instr(error_message, :words) > 0 AND {_SINCE}
ORDER BY id DESC""",
        (Parameter("words", "text"), _HOURS),
    ),
    ReadyQuery(
        "steps-without-end",
        "errors",
        f"""SELECT min(created_at) AS since, task_name, step_name, trace_id
FROM task_progress_logs
WHERE {_SINCE}
GROUP BY trace_id, task_name, step_name, execution_order
HAVING sum(status = 'START') > sum(status IN ('SUCCESS', 'FAILED'))
ORDER BY since DESC""",
        (_HOURS,),
    ),
    ReadyQuery(
        "retried-steps",
        "errors",
        f"""SELECT task_name || ' › ' || step_name AS step, trace_id,
       sum(status = 'START') AS attempts, sum(status = 'FAILED') AS failed,
       max(created_at) AS last
FROM task_progress_logs
WHERE {_SINCE}
GROUP BY trace_id, task_name, step_name, execution_order HAVING attempts > 1
ORDER BY attempts DESC, last DESC""",
        (_HOURS,),
    ),
    ReadyQuery(
        "refused-addresses",
        "errors",
        f"""SELECT ip_address, count(*) AS refused, count(DISTINCT endpoint) AS paths,
       group_concat(DISTINCT response_status) AS statuses, max(created_at) AS last
FROM api_logs
WHERE response_status IN (401, 403, 404, 405, 413, 422, 429) AND {_SINCE}
GROUP BY ip_address
ORDER BY refused DESC""",
        (_HOURS,),
        ("ip_address", "refused"),
    ),
    ReadyQuery(
        "clients-that-left",
        "errors",
        f"""SELECT {_ROUTE} AS route, count(*) AS times,
       round(avg(duration_ms)) AS waited_ms, max(duration_ms) AS longest_ms
FROM api_logs
WHERE response_status = 499 AND {_SINCE}
GROUP BY route
ORDER BY times DESC""",
        (_HOURS,),
        ("route", "times"),
    ),
    ReadyQuery(
        "user-actions",
        "analysis",
        f"""SELECT created_at, method, endpoint, response_status, duration_ms, trace_id
FROM api_logs
WHERE user_id = :user_id AND {_SINCE}
ORDER BY id DESC""",
        (Parameter("user_id", "number"), _HOURS),
    ),
    ReadyQuery(
        "requests-with-words",
        "analysis",
        f"""SELECT created_at, method, endpoint, response_status, user_id, ip_address, trace_id
FROM api_logs
WHERE (instr(request_body, :body) > 0 OR instr(response_body, :body) > 0) AND {_SINCE}
ORDER BY id DESC""",
        (Parameter("body", "text"), _HOURS),
    ),
    ReadyQuery(
        "slowest-routes",
        "analysis",
        f"""WITH timed AS (
  SELECT {_ROUTE} AS route, duration_ms,
         percent_rank() OVER (PARTITION BY {_ROUTE} ORDER BY duration_ms) AS place
  FROM api_logs
  WHERE duration_ms IS NOT NULL AND {_SINCE}
)
SELECT route, count(*) AS requests, round(avg(duration_ms)) AS mean_ms,
       min(CASE WHEN place >= 0.95 THEN duration_ms END) AS p95_ms, max(duration_ms) AS longest_ms
FROM timed
GROUP BY route
ORDER BY p95_ms DESC""",
        (_HOURS,),
        ("route", "p95_ms"),
    ),
    ReadyQuery(
        "slowest-requests",
        "analysis",
        f"""SELECT created_at, method, endpoint, response_status, duration_ms, user_id, trace_id
FROM api_logs
WHERE duration_ms >= :at_least_ms AND {_SINCE}
ORDER BY duration_ms DESC""",
        (Parameter("at_least_ms", "number", "1000"), _HOURS),
    ),
    ReadyQuery(
        "errors-by-hour",
        "analysis",
        f"""SELECT strftime('%Y-%m-%d %H:00', created_at) AS hour, count(*) AS requests,
       sum(response_status >= 500) AS errors,
       round(100.0 * sum(response_status >= 500) / count(*), 2) AS error_percent
FROM api_logs
WHERE {_SINCE}
GROUP BY hour
ORDER BY hour DESC""",
        (_HOURS,),
        ("hour", "error_percent"),
    ),
    ReadyQuery(
        "traffic-by-hour",
        "analysis",
        f"""SELECT strftime('%Y-%m-%d %H:00', created_at) AS hour, count(*) AS requests,
       count(DISTINCT user_id) AS users, round(avg(duration_ms)) AS mean_ms
FROM api_logs
WHERE {_SINCE}
GROUP BY hour
ORDER BY hour DESC""",
        (_HOURS,),
        ("hour", "requests"),
    ),
    ReadyQuery(
        "statuses-by-route",
        "analysis",
        f"""SELECT {_ROUTE} AS route, count(*) AS requests,
       sum(response_status BETWEEN 200 AND 299) AS fine,
       sum(response_status BETWEEN 300 AND 399) AS redirected,
       sum(response_status BETWEEN 400 AND 499) AS refused,
       sum(response_status >= 500) AS failed
FROM api_logs
WHERE {_SINCE}
GROUP BY route
ORDER BY failed DESC, refused DESC, requests DESC""",
        (_HOURS,),
        ("route", "requests"),
    ),
    ReadyQuery(
        "largest-bodies",
        "analysis",
        f"""SELECT created_at, user_id, ip_address, method, endpoint,
       {_body_bytes("request_body")} AS sent_bytes,
       {_body_bytes("response_body")} AS received_bytes, trace_id
FROM api_logs
WHERE {_SINCE}
ORDER BY sent_bytes DESC""",
        (_HOURS,),
    ),
    ReadyQuery(
        "busiest-users",
        "analysis",
        f"""SELECT user_id, count(*) AS requests, sum(method <> 'GET') AS changes,
       sum(response_status >= 400) AS failed, max(created_at) AS last
FROM api_logs
WHERE user_id IS NOT NULL AND {_SINCE}
GROUP BY user_id
ORDER BY requests DESC""",
        (_HOURS,),
        ("user_id", "requests"),
    ),
    ReadyQuery(
        "step-durations",
        "analysis",
        f"""WITH attempts AS (
  SELECT task_name || ' › ' || step_name AS step, status, created_at,
         lag(status) OVER same AS before, lag(created_at) OVER same AS began
  FROM task_progress_logs
  WHERE status <> 'IN_PROGRESS' AND {_SINCE}
  WINDOW same AS (PARTITION BY trace_id, task_name, step_name, execution_order ORDER BY id)
)
SELECT step, count(*) AS runs,
       round(avg(julianday(created_at) - julianday(began)) * 86400000) AS mean_ms,
       round(max(julianday(created_at) - julianday(began)) * 86400000) AS longest_ms
FROM attempts
WHERE status IN ('SUCCESS', 'FAILED') AND before = 'START'
GROUP BY step
ORDER BY mean_ms DESC""",
        (_HOURS,),
        ("step", "mean_ms"),
    ),
    ReadyQuery(
        "browsers",
        "analysis",
        f"""SELECT substr(request_header ->> 'user-agent', 1, 120) AS browser, count(*) AS requests,
       sum(response_status >= 500) AS failed, count(DISTINCT user_id) AS users
FROM api_logs
WHERE {_SINCE}
GROUP BY browser
ORDER BY requests DESC""",
        (_HOURS,),
        ("browser", "requests"),
    ),
)
"""In the order in which they are offered."""
