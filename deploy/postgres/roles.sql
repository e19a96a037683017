-- Run once by the image of PostgreSQL, when its volume is empty. Each service signs in as the owner of its own schema and
-- sees nothing of another's; none is a superuser. Run by psql, in the database `payback`.
\getenv orders ORDERS_DATABASE_PASSWORD
\getenv unpaid_work UNPAID_WORK_DATABASE_PASSWORD
\getenv reporting REPORTING_DATABASE_PASSWORD
\getenv maintenance MAINTENANCE_DATABASE_PASSWORD
\getenv exporter EXPORTER_DATABASE_PASSWORD

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE ROLE orders LOGIN PASSWORD :'orders';
CREATE ROLE unpaid_work LOGIN PASSWORD :'unpaid_work';
CREATE ROLE reporting LOGIN PASSWORD :'reporting';

GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO orders, unpaid_work, reporting;

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

-- As which the APIs of the services of records work: they own nothing, and see an authority's rows only while they ask for it
-- (orders_api), or all, for national viewers (orders_nation). Nobody signs in as these.
CREATE ROLE orders_api;
CREATE ROLE orders_nation;
CREATE ROLE unpaid_work_api;
CREATE ROLE unpaid_work_nation;
GRANT orders_api, orders_nation TO orders WITH INHERIT FALSE;
GRANT unpaid_work_api, unpaid_work_nation TO unpaid_work WITH INHERIT FALSE;

-- For operators, and for migrations: `payback rebuild` makes a schema beside a service's own and puts it in its place. No API or worker signs in as this one.
CREATE ROLE maintenance LOGIN PASSWORD :'maintenance' 
    IN ROLE orders, unpaid_work, reporting, orders_audit, unpaid_work_audit, reporting_audit;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO maintenance;

-- What PostgreSQL says of itself, for Prometheus; no row of ours.
CREATE ROLE exporter LOGIN PASSWORD :'exporter' IN ROLE pg_monitor;
GRANT CONNECT ON DATABASE :"DBNAME" TO exporter;
