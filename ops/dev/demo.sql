-- demo.sql: what PostgreSQL knows of one run (psql -v run=ID).
\pset footer off
SELECT c.name AS command, u.email AS asked_by, s.target, s.outcome,
       s.exit_status, s.finished_at - s.started_at AS took
  FROM runs r JOIN commands c ON c.id = r.command_id
  JOIN users u ON u.id = r.user_id
  JOIN execution_states s ON s.run_id = r.id
 WHERE r.id = :'run';

\pset format unaligned
SELECT rtrim(convert_from(string_agg(o.data, '' ORDER BY o.number), 'UTF8'),
             E'\n') AS output
  FROM executions e JOIN outputs o ON o.execution_id = e.id
 WHERE e.run_id = :'run' AND o.stream = 'stdout';
