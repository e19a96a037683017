-- The roles in which processes sign in. Run by psql after roles.sql, in the database `payback`; may be run again at any time, such as at an upgrade
-- or to change passwords. None owns anything: what each may do with tables, migrations say.
\getenv orders_api ORDERS_API_DATABASE_PASSWORD
\getenv orders_worker ORDERS_WORKER_DATABASE_PASSWORD
\getenv unpaid_work_api UNPAID_WORK_API_DATABASE_PASSWORD
\getenv unpaid_work_worker UNPAID_WORK_WORKER_DATABASE_PASSWORD
\getenv reporting_api REPORTING_API_DATABASE_PASSWORD
\getenv reporting_worker REPORTING_WORKER_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['orders_api', 'orders_nation', 'orders_worker', 'unpaid_work_api',
    'unpaid_work_nation', 'unpaid_work_worker', 'reporting_api', 'reporting_worker']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE orders_api LOGIN PASSWORD :'orders_api';
ALTER ROLE orders_worker LOGIN PASSWORD :'orders_worker';
ALTER ROLE unpaid_work_api LOGIN PASSWORD :'unpaid_work_api';
ALTER ROLE unpaid_work_worker LOGIN PASSWORD :'unpaid_work_worker';
ALTER ROLE reporting_api LOGIN PASSWORD :'reporting_api';
ALTER ROLE reporting_worker LOGIN PASSWORD :'reporting_worker';

-- An API of the services of records sees an authority's rows only while that asks (orders_api), or all, for national viewers (orders_nation).
GRANT orders_api, orders_nation TO orders WITH INHERIT FALSE;
GRANT unpaid_work_api, unpaid_work_nation TO unpaid_work WITH INHERIT FALSE;
GRANT orders_nation TO orders_api WITH INHERIT FALSE;
GRANT unpaid_work_nation TO unpaid_work_api WITH INHERIT FALSE;

GRANT CONNECT ON DATABASE :"DBNAME" TO orders_api, unpaid_work_api, reporting_api;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO orders_worker, unpaid_work_worker, reporting_worker;

-- Nobody signs in as an owner. Versions before this one did.
ALTER ROLE orders NOLOGIN;
ALTER ROLE unpaid_work NOLOGIN;
ALTER ROLE reporting NOLOGIN;
