-- demo.sql: what PostgreSQL knows of one run (psql -v run=ID).
\pset null -
SELECT c.name AS command, r.version, u.email AS asked_by, s.target, s.outcome,
       s.exit_status, s.finished_at - s.started_at AS took
  FROM runs r JOIN commands c ON c.id = r.command_id
  JOIN users u ON u.id = r.user_id
  JOIN execution_states s ON s.run_id = r.id
 WHERE r.id = :'run';

SELECT o.stream, o.number, convert_from(o.data, 'UTF8') AS data
  FROM executions e JOIN outputs o ON o.execution_id = e.id
 WHERE e.run_id = :'run' ORDER BY o.number LIMIT 3;
