-- What an administrator does once for a new database. The embedded server does it by itself.
-- The owner makes the tables and migrates them. The application's logins are members of recollect_app,
-- which owns nothing and is fenced by row level security.
CREATE ROLE recollect_app NOLOGIN;
CREATE ROLE recollect_owner LOGIN;
CREATE ROLE recollect_server LOGIN IN ROLE recollect_app;
CREATE DATABASE recollect OWNER recollect_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
