-- Run once by the image of PostgreSQL, when its volume is empty; run-time-roles.sql follows. Each service has a schema, whose owner sees
-- nothing of another's and is no superuser. Run by psql, in the database `payback`.
\getenv maintenance MAINTENANCE_DATABASE_PASSWORD
\getenv exporter EXPORTER_DATABASE_PASSWORD

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE ROLE orders;
CREATE ROLE unpaid_work;
CREATE ROLE reporting;

GRANT TEMPORARY ON DATABASE :"DBNAME" TO orders, unpaid_work, reporting;

CREATE SCHEMA orders AUTHORIZATION orders;
CREATE SCHEMA unpaid_work AUTHORIZATION unpaid_work;
CREATE SCHEMA reporting AUTHORIZATION reporting;

-- What was seen and done: the services add to it and read it, and cannot change it, since they are not these roles.
CREATE ROLE orders_audit;
CREATE ROLE unpaid_work_audit;
CREATE ROLE reporting_audit;
CREATE SCHEMA orders_audit AUTHORIZATION orders_audit;
CREATE SCHEMA unpaid_work_audit AUTHORIZATION unpaid_work_audit;
CREATE SCHEMA reporting_audit AUTHORIZATION reporting_audit;

-- For operators, and for migrations: `payback rebuild` makes a schema beside a service's own and puts it in its place. No API or worker signs in as this one.
CREATE ROLE maintenance LOGIN PASSWORD :'maintenance'
    IN ROLE orders, unpaid_work, reporting, orders_audit, unpaid_work_audit, reporting_audit;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO maintenance;

-- What PostgreSQL says of itself, for Prometheus; no row of ours.
CREATE ROLE exporter LOGIN PASSWORD :'exporter' IN ROLE pg_monitor;
GRANT CONNECT ON DATABASE :"DBNAME" TO exporter;
