-- A schema with data for round-trip tests of a backup tool, in the manner of PostgreSQL's own regression database.
--
--   createdb --template template0 --encoding UTF8 torture
--   psql -X -v ON_ERROR_STOP=1 -d torture -f torture.sql
--
-- Loads as superuser into an empty UTF8 database of PostgreSQL 14 to 18. What a version lacks stands behind \if.
-- It makes the roles torture_owner and torture_reader where they are missing, and leaves them behind.
-- No random(), no clock: every load gives the same rows, sequence positions and large object numbers.
-- pg_dump | pg_restore brings all of it back, as compare-databases beside this file sees it, so whatever differs after
-- a backup is the backup's fault.

\set QUIET on
\encoding UTF8
set client_min_messages = warning;
set standard_conforming_strings = on;
set synchronous_commit = off;
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set lc_monetary = 'C';
set bytea_output = 'hex';
set extra_float_digits = 1;
set search_path = pg_catalog;
-- The sections that rely on these say so; whoever loads the file may have other defaults.
reset default_table_access_method;
set default_toast_compression = 'pglz';
set xmloption = 'content';
set check_function_bodies = on;

select current_setting('server_version_num')::int >= 150000 as ge15,
       current_setting('server_version_num')::int >= 160000 as ge16,
       current_setting('server_version_num')::int >= 170000 as ge17,
       current_setting('server_version_num')::int >= 180000 as ge18
\gset

create function pg_temp.works(statement text) returns boolean language plpgsql set search_path = pg_catalog as $$
begin
  execute statement;
  return true;
exception when others then
  return false;
end $$;

select pg_temp.works($$ select xmlparse(content '<a/>') $$) as has_xml,
       exists (select from pg_collation where collname = 'und-x-icu') as has_icu,
       pg_temp.works($$ set local default_toast_compression = 'lz4' $$) as has_lz4,
       pg_temp.works($$ create collation pg_temp.probe (provider = libc, locale = 'C.utf8') $$) as has_c_utf8
\gset

-- Roles belong to the cluster: two loads at once may both try to make them.
do $$
begin
  create role torture_owner nologin;
exception when duplicate_object or unique_violation then null;
end $$;
do $$
begin
  create role torture_reader nologin;
exception when duplicate_object or unique_violation then null;
end $$;

create schema ext;
create extension hstore schema ext;
create extension citext schema ext;
create extension ltree schema ext;
create extension pg_trgm schema ext;
create extension btree_gist schema ext;
create extension cube schema ext;
create extension isn schema ext;
create extension lo schema public;
comment on extension hstore is 'An extension''s comment that is not its own';
-- Privileges of an extension's member that differ from those it was installed with.
revoke execute on function ext.hstore_to_json(ext.hstore) from public;
grant execute on function ext.hstore_to_json(ext.hstore) to torture_reader;

---------------------------------------------------------------------------------------------------- types: built in

create schema torture;
comment on schema torture is 'Types, one table for each family';
set search_path = torture, pg_catalog;

create table t_bool (id int primary key, b bool, c bool not null default false);
insert into t_bool values (1, true, false), (2, false, true), (3, null, false);

create table t_int (s smallint, i int, b bigint primary key, o oid);
insert into t_int values
  (-32768, -2147483648, -9223372036854775808, 0), (32767, 2147483647, 9223372036854775807, 4294967295),
  (0, 0, 0, 1), (null, null, 1, null);

create table t_numeric (
  id int primary key, n numeric, fixed numeric(10,2), whole numeric(30), wide numeric(1000,500), tiny numeric(5,5));
insert into t_numeric values
  (1, 0, 0, 0, 0, 0), (2, 'NaN', 'NaN', 'NaN', 'NaN', 'NaN'), (3, 'Infinity', null, null, null, null),
  (4, '-Infinity', null, null, null, null), (5, 1.10, 1.1, 7, 1e-500, 0.99999), (6, 1.1000, -99999999.99, -7, -1e-500, -0.00001),
  (7, 0.000, 0.005, 0, 1e499, 0), (8, 1e131071, null, null, null, null), (9, 1e-16383, null, null, null, null),
  (10, -12345678901234567890.123456789012345678901234567890, null, 999999999999999999999999999999, 1/3::numeric(1000,500), null),
  (11, null, null, null, null, null), (12, ('1' || repeat('0123456789', 5000) || '.' || repeat('9876543210', 1600))::numeric, null, null, null, null);

create table t_float (id int primary key, f4 real, f8 double precision);
insert into t_float values
  (1, '0', '0'), (2, '-0', '-0'), (3, 'NaN', 'NaN'), (4, 'Infinity', 'Infinity'), (5, '-Infinity', '-Infinity'),
  (6, '3.4028235e38', '1.7976931348623157e308'), (7, '1e-45', '5e-324'), (8, '1.17549435e-38', '2.2250738585072014e-308'),
  (9, 0.1, 0.1), (10, '16777217', '9007199254740993'), (11, 0.3, 0.1::float8 + 0.2::float8), (12, null, null), (13, '1e15', '1e22');

create table t_money (m money);
insert into t_money values ('0'), ('-92233720368547758.08'), ('92233720368547758.07'), ('1234567.89'), ('-0.01'), (null);

create table t_char_types (
  id int primary key, c "char", n name, fixed char(5), wide char(300), one char, plain bpchar, v varchar, v3 varchar(3), t text);
insert into t_char_types values
  (1, 'a', 'name', 'ab', 'x', 'y', 'no length  ', 'varchar', 'abc', 'text'),
  (2, '', '', '', '', '', '', '', '', ''),
  (3, ' ', ' ', '  a ', E'\n', ' ', '   ', ' ', '  ', ' '),
  (4, '"', E'a"b,c''\\\n', E'a,\n"b', '\N', '\', '\.', 'NULL', 'é☃😀', '"'),
  (5, ',', repeat('n', 63), 'äöüßé', repeat('é', 300), '😀', 'é ', E'\r', E'\r\n ', E'\t'),
  (6, null, null, null, null, null, null, null, null, null),
  (7, E'\n', 'ééé', E'\t', E'\r\n', E'\t', E'\n\n', E'\n', E'\n', E'\n');
\if :ge16
-- Before 16 a "char" outside ASCII comes out as a byte that is no valid UTF-8.
insert into t_char_types (id, c) values (8, '\200'), (9, '\377'), (10, '\351');
\endif

create table t_bytea (id int primary key, b bytea);
alter table t_bytea alter b set storage external;
insert into t_bytea values
  (1, ''), (2, null), (3, '\x00'), (4, '\x0000000000'), (5, '\x5c2e'), (6, '\x5c785c78'), (7, '\xff00fe01c328a0'), (8, '\x0a0d092c22275c'),
  (9, (select decode(string_agg(lpad(to_hex(i), 2, '0'), '' order by i), 'hex') from generate_series(0, 255) i)),
  (10, (select decode(string_agg(md5(i::text), '' order by i), 'hex') from generate_series(1, 65536) i)),
  (11, decode(repeat('00', 100000), 'hex'));

create table t_bits (id int primary key, b bit, b8 bit(8), b65 bit(65), v varbit, v5 varbit(5));
insert into t_bits values
  (1, '0', '00000000', ('1' || repeat('0', 63) || '1')::bit(65), '', ''), (2, '1', '11111111', repeat('1', 65)::bit(65), '1', '10101'),
  (3, null, null, null, null, null), (4, '1', x'a5', repeat('01', 32)::bit(64)::bit(65), repeat('110', 3333)::varbit, '0');

create table t_date (id int primary key, d date);
insert into t_date values
  (1, '4713-01-01 BC'), (2, '5874897-12-31'), (3, 'infinity'), (4, '-infinity'), (5, '0001-12-31 BC'), (6, '0001-01-01'), (7, '2000-02-29'),
  (8, '99999-01-01'), (9, null), (10, '1582-10-10'), (11, '0044-03-15 BC');

create table t_time (id int primary key, t time, t0 time(0), tz timetz, tz3 timetz(3));
insert into t_time values
  (1, '00:00', '00:00', '00:00+15:59:59', '00:00-15:59:59'), (2, '24:00', '24:00', '24:00+00', '24:00-12'),
  (3, '23:59:59.999999', '23:59:59', '23:59:59.999999+05:30', '12:34:56.789-00:00:01'), (4, null, null, null, null),
  (5, '12:00:00.000001', '12:00', '12:00:00.1+14', '12:00:00.001+05:45:30');

create table t_timestamp (id int primary key, t timestamp, t0 timestamp(0), tz timestamptz, tz3 timestamptz(3));
insert into t_timestamp values
  (1, '4713-11-24 00:00:00 BC', '4713-11-24 00:00:00 BC', '4713-11-24 00:00:00+00 BC', '4713-11-25 00:00:00+00 BC'),
  (2, '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59', '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.998+00'),
  (3, 'infinity', '-infinity', 'infinity', '-infinity'), (4, null, null, null, null),
  (5, '2000-01-01 00:00:00.000001', '1999-12-31', '2024-03-31 02:30:00+01', '1883-11-18 12:03:58-04:56:02'),
  (6, '0001-01-01 00:00:00', '0001-12-31 23:59:59 BC', '0001-01-01 00:00:00+00', '0001-12-31 23:59:59+00 BC'),
  (7, '1999-12-31 23:59:59.999999', '2038-01-19 03:14:08', '2024-10-27 02:30:00+02', '10000-01-01 00:00:00+00');

create table t_interval (id int primary key, i interval, ym interval year to month, ds interval day to second(0), h interval hour);
insert into t_interval values
  (1, '0', '0', '0', '0'), (2, '178956970 years 7 mons 2147483647 days 2147483647:59:59.999999', '178956970 years 7 mons', '1 day 01:01:01.6', '100:59'),
  (3, '-178956970 years -8 mons -2147483648 days -2147483647:59:59.999999', '-178956970 years -8 mons', '-1 day -00:00:01', '-100:59'),
  (4, '1 year -1 month 1 day -00:00:00.000001', '-1 year', '-2 days +3:04', '-1 hour'), (5, null, null, null, null),
  (6, '-1 mon +1 day -1 sec', null, null, null), (7, '0.000001 sec', null, null, null), (8, '1 mon -30 days', null, null, null);
\if :ge15
insert into t_interval (id, i) values (11, '2562047788:00:54.775807'), (12, '-2562047788:00:54.775807');
\endif
\if :ge17
insert into t_interval (id, i) values (9, 'infinity'), (10, '-infinity');
\endif

create table t_uuid (u uuid primary key, another uuid);
insert into t_uuid values
  ('00000000-0000-0000-0000-000000000000', null), ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');

create table t_net (id int primary key, i inet, c cidr, m macaddr, m8 macaddr8);
insert into t_net values
  (1, '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00'), (2, '255.255.255.255/32', '10.0.0.0/8', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff'),
  (3, '192.168.1.5/24', '192.168.1.0/25', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'), (4, '::', '::/0', null, null),
  (5, '2001:db8::1/64', '2001:db8::/32', null, null), (6, '::ffff:1.2.3.4', '::ffff:1.2.3.0/120', null, null), (7, null, null, null, null);

create table t_json (id int primary key, j json, b jsonb, p jsonpath);
insert into t_json values
  (1, '{}', '{}', '$'), (2, '[]', '[]', '$.a[*] ? (@.b > 3)'), (3, 'null', 'null', 'strict $."odd \" name"'), (4, '""', '""', '$.**{2 to last}.type()'),
  (5, E'  {"a" : 1,\n "a":2 , "\\u00e9\\n":"\\\\." }  ', '{"a":{"b":[1,2.50,1e400,-0,null,true,"x\ny"]},"":"empty key","\"":"quote"}', '($."x" + 1).floor()'),
  (6, '1.10', '1.10', '$ like_regex "^a.*\\.$" flag "iq"'), (7, null, null, null), (8, '"\u0000"', '"\ud83d\ude00\t"', '$ ? (@ starts with "\n")'),
  (9, (select json_agg(md5(i::text)) from generate_series(1, 5000) i), (select jsonb_object_agg(i, md5(i::text)) from generate_series(1, 5000) i), null);

\if :has_xml
create table t_xml (id int primary key, x xml);
insert into t_xml values
  (1, ''), (2, '<a/>'), (3, 'just text &amp; <b attr="&quot;">,</b>'), (4, E'<?xml version="1.0" encoding="UTF-8"?>\n<é>☃</é>'), (5, null),
  (6, E'<![CDATA[ \\. "quoted", \n]]>'), (7, '<!DOCTYPE d [<!ELEMENT d ANY>]><d/>'), (8, '  <spaced/>  ');
\endif

create table t_search (id int primary key, v tsvector, q tsquery);
insert into t_search values
  (1, '', ''), (2, 'a fat cat', 'fat & cat'), (3, '''it''''s'' ''a\\b'' ''with space'':1A,2B,16383D', '!a | (b <-> c:*ab) & ''it''''s'''),
  (4, to_tsvector('english', 'The quick brown fox jumped over the lazy dogs'), to_tsquery('english', 'quick <2> jumped')),
  (5, null, null), (6, E'''new\nline'' ''"'':3', E'''new\nline'' & ''\\\\.''');

create table t_geometry (id int primary key, p point, l line, s lseg, b box, open path, closed path, poly polygon, c circle);
insert into t_geometry values
  (1, '(0,0)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', '<(0,0),1>'),
  (2, '(-0,1e300)', '{0,1,-1e-300}', '[(-1.5,2.25),(3,0.1)]', '(NaN,Infinity),(NaN,-Infinity)', '[(0.1,0.2)]', '((1,2))', '((0.30000000000000004,1))', '<(1e10,-1e-10),0>'),
  (3, '(NaN,Infinity)', null, null, null, null, null, null, '<(0,0),Infinity>'), (4, null, null, null, null, null, null, null, null);

create table t_ranges (id int primary key, i4 int4range, i8 int8range, n numrange, d daterange, t tsrange, tz tstzrange);
insert into t_ranges values
  (1, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty'), (2, '(,)', '(,)', '(,)', '(,)', '(,)', '(,)'),
  (3, '[1,5]', '(-9223372036854775808,)', '(1.10,2.200]', '[2000-01-01,infinity)', '["2000-01-01 00:00:00",infinity]', '("2000-01-01 00:00:00+00",]'),
  (4, '(,2147483647)', '[5,5]', '[-Infinity,NaN]', '[4713-01-01 BC,2000-01-01]', '(-infinity,infinity)', '[2000-01-01 00:00:00.000001+00,2000-01-02 00:00:00+00)'),
  (5, null, null, null, null, null, null);

create table t_multiranges (id int primary key, i4 int4multirange, i8 int8multirange, n nummultirange, d datemultirange, t tsmultirange, tz tstzmultirange);
insert into t_multiranges values
  (1, '{}', '{}', '{}', '{}', '{}', '{}'), (2, '{(,)}', '{(,)}', '{(,)}', '{(,)}', '{(,)}', '{(,)}'),
  (3, '{[1,2],[5,9)}', '{(,0),[10,)}', '{(1.0,2.00),[3,3]}', '{[2000-01-01,2000-01-01],[2001-01-01,)}', '{["2000-01-01 00:00:00","2000-01-02 00:00:00")}', '{("2000-01-01 00:00:00+00",)}'),
  (4, null, null, null, null, null, null);

create table t_system (
  id int primary key, lsn pg_lsn, snap pg_snapshot, txsnap txid_snapshot, x8 xid8, x xid, c cid, ti tid, vec oidvector, ivec int2vector,
  acl aclitem, acls aclitem[], cur refcursor);
insert into t_system values
  (1, '0/0', '10:20:10,14,15', '10:20:10,14,15', '0', '0', '0', '(0,0)', '', '', 'torture_reader=r/torture_owner', '{=r/torture_owner}', 'cursor'),
  (2, 'FFFFFFFF/FFFFFFFF', '1:1:', '1:9223372036854775807:', '18446744073709551615', '4294967295', '4294967295', '(4294967295,65535)', '1 2 4294967295', '-1 0 32767',
     'torture_owner=a*r*w*d*D*x*t*/torture_owner', '{torture_reader=U/torture_owner,torture_owner=arwdDxt/torture_owner}', '<unnamed portal 1>'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null);

create table t_reg (
  id int primary key, class regclass, type regtype, proc regproc, procedure regprocedure, oper regoper, operator regoperator,
  role regrole, namespace regnamespace, config regconfig, dictionary regdictionary, coll regcollation);
insert into t_reg values
  (1, 'pg_catalog.pg_class', 'int', 'pg_catalog.pg_client_encoding', 'pg_catalog.sum(int)', '||/', '+(int,int)', 'torture_owner', 'pg_catalog', 'english', 'english_stem', '"C"'),
  (2, 'torture.t_int', 'torture.t_int', 'ext.hstore_to_json', 'ext.hstore_to_json(ext.hstore)', null, 'ext.->(ext.hstore,text)', 'torture_owner', 'torture', 'simple', 'simple', '"POSIX"'),
  (3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (4, null, null, null, null, null, null, null, null, null, null, null),
  (5, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000, 4000000000),
  (6, 'pg_class_oid_index', 'timestamptz(3)[]', null, null, null, null, 'torture_reader', 'ext', null, null, '"default"');

create table t_extension_types (id int primary key, h ext.hstore, c ext.citext, l ext.ltree, q ext.lquery, cu ext.cube, isbn ext.isbn13, blob public.lo);
insert into t_extension_types values
  (1, '', '', '', '*', '(0)', '9780393040029', null), (2, '"a"=>NULL, "b"=>"NULL", "q\""=>"\\.", ""=>""', 'MiXeD', 'Top.Science_1.x', '*.a|b{1,2}.!c@*', '(1,2),(3,-4e-5)', null, null),
  (3, null, null, null, null, null, null, null);

create table t_arrays (
  id int primary key, i int[], t text[], m int[][], n numeric[], b bytea[], bo bool[], d timestamptz[], j jsonb[], bx box[], c char(3)[], ch "char"[], r int4range[], na name[], iv interval[]);
insert into t_arrays values
  (1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (2, '{1,NULL,3}', array['', null, 'NULL', 'null', '"', '\', ',', '{}', E'a\nb', E'\r\n', ' x ', '\.', '\N', '☃'], '{{1,2},{3,4}}', '{NaN,1.10,Infinity}',
     array['\x00'::bytea, '\x', null, '\x5c22'], '{t,f,NULL}', '{infinity,"0001-01-01 00:00:00+00 BC"}', array['{"a":"b,\"c"}'::jsonb, 'null', null],
     '{(1,1),(0,0);(2,2),(1,1)}', array['a', 'b ', ''], array['a', '"', ' ', ''], '{empty,"[1,3)"}', '{"a b",NULL}', '{"1 day -00:00:01","-1 years"}'),
  (3, '[-3:-1]={7,8,9}', '[0:1]={zero,one}', '[2:3][-1:0]={{1,2},{NULL,4}}', null, null, null, null, null, null, null, null, null, null, null),
  (4, '{{{1},{2}},{{3},{4}}}', '{{a,b},{"",NULL}}', '[5:5][5:5]={{5}}', null, null, null, null, null, null, null, null, null, null, null),
  (5, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (6, (select array_agg(i) from generate_series(1, 20000) i), (select array_agg(md5(i::text)) from generate_series(1, 2000) i), null, null, null, null, null, null, null, null, null, null, null, null);

create table t_more_arrays (id int primary key, u uuid[], mo money[], l line[], pa path[], po polygon[], i inet[], ms macaddr8[], v varbit[], l2 pg_lsn[], p jsonpath[], ts tsvector[], tq tsquery[], rc regclass[], mr int4multirange[], h ext.hstore[], x8 xid8[], ti tid[], oids oid[]);
insert into t_more_arrays values
  (1, '{00000000-0000-0000-0000-000000000000}', '{"$1,234.50",-$0.01}', '{"{1,2,3}"}', '{"[(0,0),(1,1)]"}', '{"((0,0),(1,1))"}', '{::1,10.0.0.1/8}', '{01:02:03:04:05:06:07:08}', '{101,NULL,""}', '{0/1}',
   '{"$.\"a\""}', array['''it''''s'':1'::tsvector, ''], array['a & ''b c'''::tsquery], '{pg_class,torture.t_int}', '{"{[1,3),[5,6)}"}', array['a=>"b"'::ext.hstore, null], '{1,18446744073709551615}', '{"(1,2)"}', '{1,4294967295}');

---------------------------------------------------------------------------------------------------- types: made here

create schema types;
set search_path = types, pg_catalog;

create type mood as enum ('sad', 'ok', 'happy', '', ' ', 'it''s', '"quoted"', 'a,b', E'new\nline', '\.', '\N', 'NULL', 'üñí☃😀', 'label of sixty-three bytes which is the longest that is allowed');
alter type mood add value 'before sad' before 'sad';
alter type mood add value 'between' after 'ok';
alter type mood rename value 'happy' to 'Happy';
create type empty_enum as enum ();
comment on type mood is E'A comment with ''quotes'', "double", \\ and a\nnewline';

create type inner_pair as (a int, b text);
create type outer_pair as (id int, p inner_pair, ps inner_pair[], "Odd ""name"" é" mood, h ext.hstore);
create type no_attributes as ();
create type gone_attribute as (a int, b text, c numeric);
alter type gone_attribute drop attribute b;
alter type gone_attribute add attribute d text collate "C";
comment on column outer_pair."Odd ""name"" é" is 'An attribute''s comment';

create table t_mood (m mood primary key, ms mood[], e empty_enum);
insert into t_mood select m, array[m, null, 'sad'], null from unnest(enum_range(null::mood)) m;

create table t_composite (id int primary key, p inner_pair, o outer_pair, ps inner_pair[], os outer_pair[], n no_attributes, g gone_attribute);
insert into t_composite values
  (1, row(1, 'x'), row(1, row(2, 'y')::inner_pair, array[row(3, 'z')::inner_pair, null, row(null, '')::inner_pair], 'it''s', 'a=>1'),
     array[row(1, '"')::inner_pair, row(2, E'a,b\n(c)')::inner_pair], null, row(), row(1, 2.50, 'd')),
  (2, row(null, null), row(null, null, null, null, null), '{}', '{}', null, row(null, null, '')),
  (3, row(0, ''), row(0, row(null, '')::inner_pair, '{}', '', ''), '{NULL}', array[row(1, row(1, '\.')::inner_pair, '{}', '\.', null)::outer_pair, null], null, null),
  (4, null, null, null, null, null, null),
  (5, row(5, E'\\ " '' , ( ) \t \r\n'), row(5, row(5, '()')::inner_pair, array[row(5, '{}')::inner_pair], 'a,b', '"a\"b"=>"c,d"'), '[2:3]={"(1,a)","(2,)"}', null, null, null);

create function types.is_even(n int) returns boolean language sql immutable as 'select n % 2 = 0';
create domain positive as int check (value > 0);
create domain even_positive as positive default 2 constraint "must be even" check (types.is_even(value)) not null;
create domain postcode as text collate "C" default 'none' check (value ~ '^[a-z0-9]+$' or value = '') constraint not_long check (length(value) < 10);
create domain tags as text[] default '{}' check (array_position(value, null) is null);
create domain point_pair as inner_pair check ((value).a is null or (value).a >= 0);
create domain even_list as even_positive[] check (cardinality(value) < 5);
create domain short_name as varchar(10) not null;
create domain a_mood as mood default 'ok' check (value <> 'sad');
create domain late as int;
create table t_domains (
  id int primary key, p positive, e even_positive, c postcode, t tags, pp point_pair, el even_list, s short_name, m a_mood, ds positive[], pps point_pair[], l late);
insert into t_domains values
  (1, 1, default, default, default, row(1, 'a'), '{2,4}', '', default, '{1,NULL}', array[row(1, 'x')::point_pair, null], -1),
  (2, 2147483647, 4, '', array['', 'a,b', '"'], row(null, null), '{}', '0123456789', 'Happy', '{}', '{}', 0),
  (3, null, 6, null, null, null, null, ' ', null, null, null, null);
alter domain late add constraint late_is_positive check (value > 0) not valid;
comment on domain positive is 'A domain';
comment on constraint "must be even" on domain even_positive is 'A domain constraint''s comment';

create type text_range as range (subtype = text, collation = "C");
create function types.float_gap(float8, float8) returns float8 language internal immutable strict parallel safe as 'float8mi';
create type float_range as range (subtype = float8, subtype_diff = types.float_gap, multirange_type_name = "Float Multirange");
create type mood_range as range (subtype = mood);
create table t_own_ranges (t text_range primary key, f float_range, fm "Float Multirange", ts text_multirange, m mood_range, exclude using gist (f with &&));
insert into t_own_ranges values
  ('empty', '[0.5,1)', '{[0,1),(2,3]}', '{}', '[sad,ok]'), ('["",a]', '[-0,0.5)', null, '{[a,b),("c,d",)}', '[,ok)'), ('["\"","\\\\x")', '(5,Infinity]', '{}', null, 'empty'),
  ('["a,b",)', null, null, null, '["a,b","\\N"]'), ('["(",")")', null, null, null, null), ('(,)', '(,-5)', '{(,)}', '{(,)}', '(,)');

-- Base types whose functions are the server's own.
create type label;
create function types.label_in(cstring) returns label language internal immutable strict parallel safe as 'textin';
create function types.label_out(label) returns cstring language internal immutable strict parallel safe as 'textout';
create function types.label_recv(internal) returns label language internal stable strict parallel safe as 'textrecv';
create function types.label_send(label) returns bytea language internal stable strict parallel safe as 'textsend';
create type label (
  input = types.label_in, output = types.label_out, receive = types.label_recv, send = types.label_send, internallength = variable, storage = extended,
  category = 'U', preferred = false, default = 'unlabelled', delimiter = ';', collatable = true);
create type whole;
create function types.whole_in(cstring) returns whole language internal immutable strict parallel safe as 'int4in';
create function types.whole_out(whole) returns cstring language internal immutable strict parallel safe as 'int4out';
create type whole (input = types.whole_in, output = types.whole_out, internallength = 4, passedbyvalue, alignment = int4, default = '42');
create type shell_only;
comment on type label is 'A base type';
comment on type shell_only is 'Never filled in';

-- whole gets operators, a btree and a hash operator class, so that it can be a key; label has no equality at all.
create function types.whole_lt(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4lt';
create function types.whole_le(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4le';
create function types.whole_eq(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4eq';
create function types.whole_ge(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4ge';
create function types.whole_gt(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4gt';
create function types.whole_ne(whole, whole) returns boolean language internal immutable strict parallel safe as 'int4ne';
create function types.whole_cmp(whole, whole) returns int language internal immutable strict parallel safe as 'btint4cmp';
create function types.whole_hash(whole) returns int language internal immutable strict parallel safe as 'hashint4';
create function types.whole_int(whole, int) returns int language internal immutable strict parallel safe as 'btint4cmp';
create function types.whole_lt_int(whole, int) returns boolean language internal immutable strict parallel safe as 'int4lt';
create operator types.< (function = types.whole_lt, leftarg = whole, rightarg = whole, commutator = operator(types.>), negator = operator(types.>=), restrict = scalarltsel, join = scalarltjoinsel);
create operator types.<= (function = types.whole_le, leftarg = whole, rightarg = whole, commutator = operator(types.>=), negator = operator(types.>), restrict = scalarlesel, join = scalarlejoinsel);
create operator types.= (function = types.whole_eq, leftarg = whole, rightarg = whole, commutator = operator(types.=), negator = operator(types.<>), restrict = eqsel, join = eqjoinsel, hashes, merges);
create operator types.<> (function = types.whole_ne, leftarg = whole, rightarg = whole, commutator = operator(types.<>), negator = operator(types.=), restrict = neqsel, join = neqjoinsel);
create operator types.>= (function = types.whole_ge, leftarg = whole, rightarg = whole, commutator = operator(types.<=), negator = operator(types.<), restrict = scalargesel, join = scalargejoinsel);
create operator types.> (function = types.whole_gt, leftarg = whole, rightarg = whole, commutator = operator(types.<), negator = operator(types.<=), restrict = scalargtsel, join = scalargtjoinsel);
create operator types.<<| (function = types.whole_lt_int, leftarg = whole, rightarg = int);
create operator family types.whole_family using btree;
create operator class types.whole_ops default for type whole using btree family types.whole_family as
  operator 1 types.<, operator 2 types.<=, operator 3 types.=, operator 4 types.>=, operator 5 types.>, function 1 types.whole_cmp(whole, whole);
alter operator family types.whole_family using btree add
  operator 1 types.<<| (whole, int), function 1 (whole, int) types.whole_int(whole, int);
create operator class types.whole_hash_ops default for type whole using hash as operator 1 types.=, function 1 types.whole_hash(whole);
create operator family types.empty_family using gin;
comment on operator types.= (whole, whole) is 'An operator';
comment on operator class types.whole_ops using btree is 'An operator class';
comment on operator family types.whole_family using btree is 'An operator family';

create function types.whole_from_int(int) returns whole language internal immutable strict parallel safe as 'int4up';
create cast (int as whole) with function types.whole_from_int(int) as assignment;
create cast (whole as int) without function as implicit;
create cast (label as text) without function as assignment;
create cast (text as label) with inout;
create cast (inner_pair as text) with inout as implicit;
comment on cast (int as whole) is 'A cast';

create table t_base (w whole primary key, l label, ls label[] default '{a;b}', ws whole[], ww whole default '7');
insert into t_base values
  ('-2147483648', '', '{}', '{1,NULL}', default), ('0', '\.', '{"a;b";"c,d";NULL;""}', null, '2147483647'), ('1', E'a\n"b"', default, '{}', null), ('2', null, null, null, null);
create index on t_base using hash (ww);

-- A table's row as a column's type, and a table made of a type.
create table t_rows (id int primary key, r t_composite, rs t_domains[]);
insert into t_rows select id, c, (select array_agg(d order by d.id) from t_domains d) from t_composite c;
insert into t_rows values (100, null, '{}');
create table t_typed of inner_pair (a primary key, b with options not null default 'typed', check (b <> ''));
insert into t_typed values (1, default), (2, E'\\.');
create table t_typed_too of inner_pair;
insert into t_typed_too values (null, null), (null, ''), (null, '');

---------------------------------------------------------------------------------------------------- contents of text

create schema texts;
set search_path = texts, pg_catalog;

create table samples (id int generated always as identity, t text, note text);
insert into samples (t) values
  (null), (''), (' '), ('  both  '), ('\.'), ('\N'), ('NULL'), ('null'), ('\\.'), ('\\N'), (E'\\.\n'), (E'\n\\.\n'), (E'\n\\.'), (E'a\n\\.\nb'), (E'a\r\n\\.\r\nb'),
  (E'\r\\.\r'), ('"'), ('""'), ('"""'), (''''), (''''''), (','), (',,'), ('","'), (E'"\n"'), (E'\n'), (E'\n\n'), (E'\r'), (E'\r\n'), (E'\n\r'), (E'a\nb'), (E'a\rb'), (E'a\r\nb'), (E'trailing\n'), (E'trailing\r'), (E'trailing\r\n'), (E'\nleading'),
  (E'\t'), (E'a\tb'), (E'\ttab\t'), ('\'), ('\\'), ('\t'), ('\n'), ('\x41'), ('\101'), (E'\b\f\v'), (E'\x01\x02\x03\x04\x05\x06\x0e\x0f\x10\x1a\x1b\x1c\x1d\x1e\x1f\x7f'),
  ('é'), (U&'e\0301'), (U&'\1100\1161\11A8'), ('각'), ('😀'), ('👩‍👩‍👧‍👦'), ('🇨🇭'), (U&'\FEFFbyte order mark'), (U&'\FFFE\FFFF\+10FFFF'), (U&'\2028\2029\0085'), (U&'\200B\202E\200F'), ('ﷺ'), ('Z̡̪͓͍a̵̛͈l͎̭g͇o'), ('ß SS ſ İ ı'), ('日本語'), ('עברית'),
  ('=1+1'), ('+1'), ('-1'), ('@cmd'), ('#comment'), ('--comment'), ('/*'), ('$1'), ('$$'), ('%s%n%d'), (':name'), ('{}'), ('[1]'), ('(1)'), ('|'), (';'), ('&amp;'), ('<b>'), ('true'), ('f'), ('007'), ('1e5'), ('NaN'), ('Infinity'), ('0x1f'), ('''; drop table x; --'),
  (U&'\00A0'), (U&'\3000'), (E'\u0001'), ('a"b'), ('"a"'), ('a,b'), ('"a,b"'), (E'"a\nb"'), ('" "'), ('a'), ('A');
update samples set note = case id % 3 when 0 then t when 1 then '' end;
insert into samples (t) select chr(i) from generate_series(1, 255) i;
insert into samples (t, note) select repeat(E'\\', i), repeat('"', i) from generate_series(0, 9) i;
comment on column samples.t is E'\\.\nA comment''s own ''quotes''\r\nand $$dollars$$, 😀';

-- One column only: an empty line, a NULL and the end marker must stay apart.
create table only_null (t text);
insert into only_null select null from generate_series(1, 3);
create table only_empty (t text);
insert into only_empty select '' from generate_series(1, 3);
create table only_marker (t text);
insert into only_marker values ('\.'), ('\.'), (null), (''), ('\N'), (E'\\.\n\\.'), ('\.');
create table marker_last (t text);
insert into marker_last values ('a'), (''), (null), ('\.');
create table only_null_int (i int);
insert into only_null_int values (null), (null), (0);
create table all_nulls (a int, b text, c jsonb, d text[], e bytea);
insert into all_nulls select from generate_series(1, 5);
create table all_empty (a text, b varchar, c bytea, d text[], e ext.citext);
insert into all_empty select '', '', '', '{}', '' from generate_series(1, 4);
create table one_line (t text not null);
insert into one_line values (E'\n'), (E'\r'), (E'\r\n'), (E'"'), (E'\n\n\n');

create table no_columns ();
insert into no_columns select from generate_series(1, 7);
create table no_columns_no_rows ();
create table no_columns_left (gone int);
insert into no_columns_left select i from generate_series(1, 3) i;
alter table no_columns_left drop column gone;
create table no_rows (id int primary key, t text default 'x');
create table all_generated (a int generated always as (1) stored, b text generated always as ('x' || '''"\.') stored);
insert into all_generated select from generate_series(1, 4);

create table large (id int primary key, t text, external text, b bytea, j jsonb);
alter table large alter external set storage external;
insert into large
select 1, string_agg(md5(i::text) || case i % 7 when 0 then E'\n' when 1 then '"' when 2 then ',' when 3 then E'\r\n' when 4 then '☃' when 5 then E'\n\\.\n' else '😀' end, '' order by i), null, null, null
from generate_series(1, 30000) i;
insert into large values (2, repeat(E'\n', 1048576), repeat('x', 1048576), decode(repeat('00ff', 524288), 'hex'), to_jsonb(repeat('"\', 300000)));
insert into large select 3, repeat(E'\\.\n', 350000), repeat('"', 1048577), null, jsonb_build_object('k', repeat(E'é\n', 200000));
insert into large select i, repeat('é', i * 997), repeat(',' || i, i * 11), decode(repeat('0d0a', i * 13), 'hex'), null from generate_series(4, 300) i;

-- 1000 columns, and as many as there can be.
do $$
begin
  execute (select format('create table texts.wide (%s)', string_agg(format('c%s %s', i, (array['int', 'text', 'boolean', 'date', 'numeric'])[i % 5 + 1]), ', ')) from generate_series(1, 1000) i);
  execute (select format('insert into texts.wide select %s from generate_series(1, 20) r', string_agg(
    case i % 5 when 0 then 'r' when 1 then format('nullif(repeat(%L, r %% 4), %L)', E',\n"', '') when 2 then 'r % 2 = 0' when 3 then format('date %L + r', '2000-01-01') else 'r * 1.10' end, ', ')) from generate_series(1, 1000) i);
  execute 'insert into texts.wide default values';
  execute (select format('create table texts.widest (%s)', string_agg(format('"%s" bool', i), ', ')) from generate_series(1, 1600) i);
  execute (select format('insert into texts.widest select %s from generate_series(1, 5) r', string_agg(format('nullif(%s %% r = 1, r %% 2 = 0)', i), ', ')) from generate_series(1, 1600) i);
end $$;

-- A few hundred thousand rows: more than one piece of a backup.
create table many (id int primary key, n bigint, t text, at timestamptz);
insert into many select i, i::bigint * 7919 % 1000003, 'row ' || i, timestamptz '2000-01-01 00:00:00+00' + i * interval '1 minute 1.000001 second' from generate_series(1, 150000) i;
create index on many (n, id);
create table many_tiny (i int);
insert into many_tiny select i % 10 from generate_series(1, 200000) i;
-- Much dead space, and rows that lie in another order than they came.
create table bloated (id int primary key, t text) with (autovacuum_enabled = off, fillfactor = 50);
insert into bloated select i, repeat('x', i % 50) from generate_series(1, 20000) i;
delete from bloated where id % 3 = 0;
update bloated set t = t || '!' where id % 5 = 0;

---------------------------------------------------------------------------------------------------- names

-- Every odd name becomes a table with a column, an index, a check and a default of that name, in each of some schemas.
create schema names;
comment on schema names is 'Names that a file system, a shell, a CSV header or SQL might trip over';
create table names.odd (id int generated always as identity primary key, name text not null unique);
insert into names.odd (name) values
  (repeat('n', 63)), (repeat('é', 31) || 'x'), (repeat('😀', 15) || 'abc'), (repeat('"', 63)), (repeat('/', 63)), (repeat('%', 63)), (repeat('a', 62) || 'A'),
  ('"'), ('""'), ('a"b'), (''''), ('a''b'), ('`'), ('.'), ('..'), ('...'), ('a.b'), ('.hidden'), ('trailing.'), ('a/b'), ('/'), ('../up'), ('/etc/passwd'), ('a\b'), ('\'), ('C:\x'), ('\N'), ('\.'),
  ('%'), ('%2E'), ('a%2Eb'), ('a%2eb'), ('%2F'), ('%00'), ('%s'), ('100%'), (' '), ('  '), (' leading'), ('trailing '), ('two  blanks'), (E'new\nline'), (E'\n'), (E'carriage\rreturn'), (E'crlf\r\n'), (E'tab\t'), (E'\x01'), (E'\x1b[31mred'), (E'\x7f'),
  ('Case'), ('case'), ('CASE'), ('ÉTÉ'), ('été'), (U&'e\0301te\0301'), ('ß'), ('ss'), ('SS'), ('I'), ('i'), ('ı'), ('İ'),
  ('select'), ('table'), ('user'), ('order'), ('group'), ('null'), ('default'), ('primary'), ('all'), ('analyze'), ('end'), ('from'), ('public'), ('pg_catalog'), ('pg_class'), ('information_schema'), ('ctid_'), ('oid'),
  ('CON'), ('con'), ('NUL'), ('nul.csv'), ('COM1'), ('LPT1.txt'), ('aux'), ('PRN'), ('a:b'), ('a*b'), ('*'), ('?'), ('<'), ('>'), ('a|b'), ('|'),
  ('-'), ('--'), ('-rf'), ('--help'), ('-- comment'), ('/* comment'), ('*/'), ('~'), ('~root'), ('$HOME'), ('$1'), ('$(id)'), ('$$'), ('!'), ('#'), ('&'), ('a;b'), ('; drop table x'), ('='), ('=1+1'), ('@'), ('^'), ('()'), ('(1)'), ('[]'), ('{}'), ('{a,b}'), (':var'), ('::text'), (','), ('a,b'), ('","'), ('+'),
  ('0'), ('007'), ('1e5'), ('日本語'), ('한국어'), ('עברית'), ('😀'), ('👩‍👩‍👧'), (U&'\FEFFbom'), (U&'\200B'), (U&'\00A0'), (U&'\202Eevil'), (U&'\2028'), ('à propos'), ('naïve'), ('schema.sql'), ('manifest.json'), ('data.csv'), ('data.csv.gz'), ('.csv'), ('toc'), ('_'), ('a_b'), ('a-b'), ('tableoid_'), ('true'), ('id');
do $$
declare
  n names.odd;
begin
  for n in select * from names.odd order by id loop
    execute format(
      'create table names.%1$I (%1$I text default %2$L constraint %1$I check (%1$I <> %3$L), other int generated always as (length(%1$I)) stored)', n.name, n.name, n.id::text || '!');
    execute format('insert into names.%1$I values (default), (null), (%2$L)', n.name, n.name || ',"' || n.id);
    execute format('create index %I on names.%I (%I)', right(md5(n.name), 4) || left(n.name, 10), n.name, n.name);
    execute format('comment on table names.%I is %L', n.name, 'Named ' || n.name);
    execute format('comment on column names.%I.%I is %L', n.name, n.name, n.name);
  end loop;
end $$;

do $$
declare
  s text;
  n text;
begin
  foreach s in array array['odd.schema', 'Odd Schema', 'odd schema', 'ODD SCHEMA', '..', '.', 'a/b', 'a\b', '"', '''', '%', 'a%2Eb', E'new\nline', 'CON', '-rf', 'select', 'names"."x', 'schéma😀', repeat('s', 63), repeat('s', 62) || 'S', ' ', 'public ', '$user', 'torture.t_int', '=1'] loop
    execute format('create schema %I', s);
    execute format('comment on schema %I is %L', s, 'Schema ' || s);
    foreach n in array array['t', 'a.b', s] loop
      execute format('create table %I.%I (id serial primary key, %I text, self int references %I.%I)', s, n, s, s, n);
      execute format('insert into %I.%I (%I, self) values (%L, 1), (null, 1), (%L, 2)', s, n, s, n, s || '.' || n);
    end loop;
    execute format('create view %I."the view" as select * from %I.%I', s, s, s);
    execute format('create function %I.%I(%I text) returns text language sql immutable as %L', s, s, s, 'select upper($1)');
    execute format('create sequence %I."a sequence" start 5', s);
    execute format('create table %I."uses all" (t text default %I.%I(''x''), n bigint default nextval(%L), r %I.%I)', s, s, s, format('%I."a sequence"', s), s, s);
    execute format('insert into %I."uses all" values (default, default, null), (default, default, (select x from %I.%I x where id = 3))', s, s, s);
  end loop;
end $$;
-- 'a.b' in schema 'c' and 'b' in schema 'c.a' would share a name without quotes.
create schema c;
create schema "c.a";
create table c."a.b" (id int primary key);
create table "c.a".b (id int primary key references c."a.b");
insert into c."a.b" values (1), (2);
insert into "c.a".b values (2);

create table public.pg_largeobject (loid oid, pageno int, data bytea);
insert into public.pg_largeobject values (1, 0, '\x00'), (null, null, null);
create table public.pg_class (oid oid primary key, relname name);
insert into public.pg_class values (1, 'not the catalog');
create table public.pg_type (typname name);
create table public.text (t text);
insert into public.text values ('a table named like a type');
create table public."integer" (i int);

insert into torture.t_reg (id, class, type) values
  (7, '"odd.schema"."a.b"', '"odd.schema"."a.b"'), (8, '"names"".""x"."the view"', '"names"".""x".t[]'), (9, 'names.""""', 'names."."'), (10, E'"new\nline"."new\nline"', E'names."crlf\r\n"');

---------------------------------------------------------------------------------------------------- tables

create schema tables;
set search_path = tables, pg_catalog;

-- Dropped columns, in every place; columns added with a default that old rows never stored.
create table dropped (a int, b text, c int, d text);
insert into dropped select i, 'b' || i, i * 2, 'd' || i from generate_series(1, 50) i;
alter table dropped drop column a;
alter table dropped drop column c;
alter table dropped add column e int default 5 not null;
alter table dropped add column a text default E'\\.';
insert into dropped (b, d, e, a) values ('late', null, 6, null);
create table fast_default (id int primary key);
insert into fast_default select generate_series(1, 1000);
alter table fast_default add column t text default 'x,"y"', add column ts timestamptz default '2000-01-01 00:00:00+00', add column n numeric default 'NaN', add column a text[] default '{"a,b",NULL}';
alter table fast_default alter column t set default 'changed later', alter column n drop default;
update fast_default set t = null where id % 100 = 0;
insert into fast_default (id) values (2000);
create table many_dropped (keep int);
do $$
begin
  for i in 1..100 loop
    execute format('alter table tables.many_dropped add column c%s int default %s', i, i);
    execute format('alter table tables.many_dropped drop column c%s', i);
  end loop;
end $$;
insert into many_dropped values (1), (null);
alter table many_dropped add column last text default 'last';

create function tables.double(numeric) returns numeric language sql immutable strict as 'select $1 * 2';
create function tables.words(t text) returns int language plpgsql immutable as $$ begin return cardinality(string_to_array(t, ' ')); end $$;
create table generated (
  first_generated text generated always as (name || coalesce('-' || n::text, '')) stored, name text collate "C" not null, n int,
  doubled numeric generated always as (tables.double(n)) stored, words int generated always as (tables.words(name)) stored check (words < 10), "after" date default '2000-01-01', primary key (first_generated));
insert into generated (name, n) values ('a b', 1), ('c', null), (E'\\.', 3), ('"', -2147483648);
create table generated_domain (d types.positive default 4, e types.positive generated always as (d * 10) stored unique);
insert into generated_domain values (default), (1), (null);
\if :ge18
create table generated_virtual (a int, v int generated always as (a * 2) virtual, t text generated always as ('v' || a) virtual, b int, check (v is distinct from 7));
insert into generated_virtual (a, b) values (1, 2), (null, null), (3, 4);
create table all_virtual (v int generated always as (1) virtual);
insert into all_virtual select from generate_series(1, 3);
\endif

create table identity_always (id bigint generated always as identity (start 100 increment 10 minvalue 50 maxvalue 100000 cache 5), t text);
insert into identity_always (t) values ('a'), ('b');
insert into identity_always overriding system value values (-5, 'own number');
create table identity_default (id smallint generated by default as identity (increment -3 cycle), t text, primary key (id));
insert into identity_default (t) values ('a'), ('b');
insert into identity_default values (77, 'own number');
create table identity_unused (id int generated always as identity);
create table identity_only (id int generated always as identity primary key);
insert into identity_only overriding system value values (1), (2);
alter table identity_only alter id restart with 1000;
create table serials (s smallserial, i serial primary key, b bigserial);
insert into serials select from generate_series(1, 12);
select setval('tables.serials_s_seq', 32767), setval('tables.serials_b_seq', 9223372036854775807, false) \g /dev/null
alter sequence serials_i_seq rename to "Another name for a serial";

create sequence seq_descending increment -5 minvalue -1000 maxvalue -1 start -1;
create sequence seq_cycle minvalue 1 maxvalue 3 cycle;
create sequence seq_not_called start 42;
create sequence seq_limits minvalue -9223372036854775808 maxvalue 9223372036854775807 start -9223372036854775808;
create sequence seq_top minvalue -9223372036854775808 maxvalue 9223372036854775807 start 1;
create sequence seq_small as smallint start 32767;
create sequence seq_int as int increment 1000000 cache 100;
create sequence seq_one minvalue 7 maxvalue 8;
create sequence "Seq with ""quotes"" and ." owned by none;
create sequence seq_owned owned by dropped.e;
create sequence seq_set_back;
create sequence seq_shared;
select nextval('seq_descending'), nextval('seq_descending'), nextval('seq_cycle'), nextval('seq_cycle'), nextval('seq_cycle'), nextval('seq_cycle'), nextval('seq_int'), nextval('seq_one'), setval('seq_limits', -9223372036854775808, true),
  setval('seq_top', 9223372036854775807), nextval('seq_small'), setval('"Seq with ""quotes"" and ."', 12, false), setval('seq_set_back', 100), setval('seq_set_back', 1, true) \g /dev/null
\if :ge15
create unlogged sequence seq_unlogged start 3;
select nextval('seq_unlogged') \g /dev/null
\endif
create table shared_a (id int default nextval('seq_shared'), t text default 'n' || currval('seq_shared'));
create table shared_b (id int default nextval('seq_shared'::text));
insert into shared_a values (default, default), (default, 'x');
insert into shared_b values (default);
comment on sequence seq_descending is 'A sequence';

create unlogged table unlogged_rows (id int generated always as identity primary key, t text);
insert into unlogged_rows (t) select 'unlogged ' || i from generate_series(1, 100) i;

create table no_key (a int, b text);
insert into no_key select i % 3, case i % 4 when 0 then null when 1 then '' else 'same' end from generate_series(1, 60) i;

-- Constraints
create table constraints (
  id int constraint "The Key" primary key, a int unique, b int, c int, d text, e int4range,
  constraint ab_unique unique (a, b) deferrable initially deferred, constraint c_unique unique (c) deferrable, unique (b, c) include (d),
  constraint "check with ""quotes""" check (a > 0 or a is null), check (b < c) no inherit, constraint no_overlap exclude using gist (e with &&, b with =) where (c > 0),
  exclude using btree (d with =) deferrable initially deferred, exclude (lower(d) collate "C" with =) where (d is not null), check (tables.words(d) < 5), check (true), check (null::boolean), check ((a, b) is distinct from (1, 1)));
insert into constraints values (1, 1, 2, 4, 'one two', '[1,5)'), (2, 2, 1, 3, 'three', '[5,9)'), (3, null, null, null, null, null), (4, null, 1, null, null, '[1,9)');
comment on constraint no_overlap on constraints is 'An exclusion constraint';
create table deferred_key (id int primary key, u int unique deferrable, n int references deferred_key deferrable initially deferred);
insert into deferred_key (id, n) values (1, 2), (2, 3), (3, 1);
create table not_valid (id int primary key, n int, parent int);
insert into not_valid select i, -i, 1000 + i from generate_series(1, 5) i;
alter table not_valid add constraint n_positive check (n > 0) not valid, add constraint has_parent foreign key (parent) references not_valid not valid;
\if :ge18
create table not_enforced (id int primary key, n int constraint is_positive check (n > 0) not enforced, parent int references not_enforced not enforced);
insert into not_enforced values (1, -1, 99);
create table not_null_named (a int constraint "a must be" not null, b int constraint no_heirs not null no inherit, c int, d int);
insert into not_null_named values (1, 1, null, 1);
alter table not_null_named add constraint late_not_null not null c not valid;
create table temporal (id int, during daterange, primary key (id, during without overlaps));
create table temporal_child (id int, during daterange, foreign key (id, period during) references temporal (id, period during));
insert into temporal values (1, '[2000-01-01,2001-01-01)'), (1, '[2001-01-01,2002-01-01)');
insert into temporal_child values (1, '[2000-06-01,2001-06-01)');
\endif
\if :ge15
create table nulls_not_distinct (a int, b text, unique nulls not distinct (a, b));
create unique index on nulls_not_distinct (b) nulls not distinct;
insert into nulls_not_distinct values (null, 'x'), (1, null);
\endif

-- Foreign keys: to itself, in circles, of several columns, of every action.
create table self_parent (id int primary key, parent int references self_parent on delete cascade on update set null, "left" int unique references self_parent ("left"));
insert into self_parent values (3, 5, 7), (5, 3, null), (1, null, 9), (2, 1, null), (4, 4, 8);
create table circle_a (id int primary key, b int, t text);
create table circle_b (id int primary key, c int);
create table circle_c (id int primary key, a int references circle_a);
alter table circle_a add foreign key (b) references circle_b on delete set null deferrable;
alter table circle_b add foreign key (c) references circle_c on delete set default on update restrict deferrable initially deferred;
insert into circle_a values (1, null, 'a'), (2, null, 'b');
insert into circle_c values (1, 1), (2, 2);
insert into circle_b values (1, 1), (2, 2), (3, null);
update circle_a set b = 3 - id;
create table composite_key (a int, b text, c types.whole, d int, primary key (b, a), unique (a, c), unique (d));
create table composite_child (
  id int, x int, y text, z types.whole, d int default 5,
  foreign key (x, y) references composite_key (a, b) match full on update cascade, foreign key (x, z) references composite_key (a, c) match simple on delete no action, constraint "d's key" foreign key (d) references composite_key (d));
insert into composite_key values (1, 'x', '1', 5), (2, E'\\.', '2', null), (2, '', '3', 6);
insert into composite_child values (1, 1, 'x', '1', 5), (2, 2, '', null, null), (3, null, null, '77', 6);
\if :ge15
create table composite_set (x int, y text, foreign key (x, y) references composite_key (a, b) on delete set null (y));
insert into composite_set values (1, 'x');
\endif

-- Every kind of index.
create table indexed (id int primary key, a int, b text, c int4range, d text[], e jsonb, f point, g tsvector, h timestamptz, i inet, j box, k ext.ltree, l ext.hstore, m types.mood, n types.whole);
insert into indexed
select x, x % 50, 'text ' || x, int4range(x, x + 10), array['a' || x % 3, 'b'], jsonb_build_object('k', x), point(x, -x), to_tsvector('english', 'word ' || x), timestamptz '2000-01-01 00:00:00+00' + x * interval '1 day', ('10.0.0.' || x % 256)::inet, box(point(x, x), point(x + 1, x + 1)), ('a.b' || x)::text::ext.ltree, ext.hstore('k', x::text), 'ok', (x % 9)
from generate_series(1, 500) x;
create index i_btree on indexed (a desc nulls last, b collate "C" text_pattern_ops asc nulls first) include (h) with (fillfactor = 70, deduplicate_items = off);
create index i_hash on indexed using hash (b) with (fillfactor = 50);
create index i_gist on indexed using gist (c, f) with (buffering = on);
create index i_spgist on indexed using spgist (f kd_point_ops);
create index i_gin on indexed using gin (e jsonb_path_ops, d) with (fastupdate = off, gin_pending_list_limit = 128);
create index i_trgm on indexed using gin (b ext.gin_trgm_ops);
create index i_trgm_gist on indexed using gist (b ext.gist_trgm_ops (siglen = 32)) where a > 10;
create index i_brin on indexed using brin (h timestamptz_minmax_multi_ops (values_per_range = 16), i inet_inclusion_ops, id int4_bloom_ops (n_distinct_per_range = -0.5)) with (pages_per_range = 4, autosummarize = on);
create index i_search on indexed using gin (g);
create index i_search_expression on indexed using gin (to_tsvector('simple'::regconfig, b));
create index i_box on indexed using spgist (j);
create index i_inet on indexed using gist (i inet_ops);
create index i_ltree on indexed using gist (k);
create index i_hstore on indexed using gin (l);
create index i_own_type on indexed (n types.whole_ops, m);
create unique index i_partial on indexed (a) where id <= 40 and b is not null;
create unique index "I odd ""name"" é" on indexed (upper(b), (a + id), (e ->> 'k'));
create index i_function on indexed (tables.words(b), (case when a > 5 then 'x' else 'y' end) collate "POSIX");
create index on no_key ((no_key.* is null));
create index on indexed (id, id desc, a);
alter index i_function alter column 1 set statistics 55;
alter index i_function alter column 2 set statistics 0;
comment on index i_btree is 'An index';
-- An index whose build failed half-way.
create index i_invalid on indexed (h);
update pg_index set indisvalid = false where indexrelid = 'tables.i_invalid'::regclass;
create unique index i_key on indexed (id, a);
alter table indexed cluster on i_btree;
create table using_index (id int not null, t text not null);
create unique index "made before" on using_index (id);
create unique index another on using_index (t);
alter table using_index add constraint "named after" primary key using index "made before", add constraint t_once unique using index another deferrable;
insert into using_index values (1, 'x');

create table options (id int, a text, b text, c text, d bytea, e int, f text)
  with (fillfactor = 60, autovacuum_enabled = false, toast_tuple_target = 256, parallel_workers = 3, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = false, toast.vacuum_truncate = false, user_catalog_table = true, log_autovacuum_min_duration = 10, vacuum_index_cleanup = off);
alter table options alter a set storage external, alter b set storage main, alter c set storage plain, alter d set storage extended;
\if :has_lz4
alter table options alter d set compression lz4, alter f set compression lz4, alter b set compression pglz;
\endif
alter table options alter a set statistics 0, alter e set statistics 10000, alter b set statistics 7, alter e set (n_distinct = -0.25, n_distinct_inherited = 100), alter f set (n_distinct = 5);
insert into options select i, repeat('a', i * 100), repeat('b', i * 100), 'c', decode(repeat('0102', i * 1000), 'hex'), i, repeat('f', i * 5000) from generate_series(1, 20) i;
create statistics stat_all on a, b, c from options;
create statistics "Stat odd" (ndistinct, mcv) on a, e from options;
create statistics stat_expressions (dependencies, mcv) on (lower(a)), (e + 1), b from options;
create statistics stat_one on (e % 7) from options;
alter statistics stat_all set statistics 500;
comment on statistics stat_all is 'Extended statistics';

create table replica_full (a int, b text);
alter table replica_full replica identity full;
create table replica_nothing (a int primary key);
alter table replica_nothing replica identity nothing;
create table replica_index (a int primary key, b int not null, c text not null);
create unique index replica_index_b on replica_index (b, c);
alter table replica_index replica identity using index replica_index_b;
alter table replica_index cluster on replica_index_pkey;
create table replica_constraint (a int not null, constraint "replica's" unique (a));
alter table replica_constraint replica identity using index "replica's";
insert into replica_full values (1, null);
insert into replica_nothing values (1);
insert into replica_index values (1, 2, '');
insert into replica_constraint values (5);

create access method heap_again type table handler heap_tableam_handler;
create access method gist_again type index handler gisthandler;
comment on access method heap_again is 'An access method';
create operator class range_again for type anyrange using gist_again as
  operator 3 &&(anyrange, anyrange), function 1 range_gist_consistent(internal, anyrange, smallint, oid, internal), function 2 range_gist_union(internal, internal),
  function 5 range_gist_penalty(internal, internal, internal), function 6 range_gist_picksplit(internal, internal), function 7 range_gist_same(anyrange, anyrange, internal);
create table other_method (id int primary key, r int4range) using heap_again;
create index on other_method using gist_again (r range_again);
insert into other_method select i, int4range(i, i + 2) from generate_series(1, 20) i;

-- Inheritance. pg_dump gives some of the heirs another order of columns (inh_dropped, inh_multiple).
create table inh_parent (id int primary key, t text default 'parent', n numeric check (n > 0), constraint not_below check (id > -10) no inherit);
create table inh_child (extra text, t text default 'child') inherits (inh_parent);
create table inh_grandchild (n numeric not null, more int) inherits (inh_child);
create table inh_other (x int, t text default 'other', constraint x_small check (x < 100));
create table inh_multiple (t text default 'multiple', own int generated always as (x * 2) stored) inherits (inh_child, inh_other);
create table inh_no_inherit (id int not null, t text, n numeric, own int, constraint inh_parent_n_check check (n > 0));
alter table inh_no_inherit inherit inh_parent;
create table inh_left (a int) inherits (inh_parent);
alter table inh_left no inherit inh_parent;
create table inh_dropped (z int) inherits (inh_other);
alter table inh_dropped add column gone int;
alter table inh_dropped drop column gone;
alter table inh_other add column "added later" int default 9;
alter table only inh_other alter t set default 'changed in the parent only';
alter table inh_child alter t drop default;
insert into inh_parent values (1, default, 1), (2, E'\\.', null), (2 + 1, null, 2);
insert into inh_child (id, t, n, extra) values (1, default, 1, 'a child of the same number'), (4, 'c', null, null);
insert into inh_grandchild (id, n, more) values (5, 1.5, 1), (6, 99999999.99, null);
insert into inh_other (x, t) values (1, default), (null, null);
insert into inh_multiple (id, x) values (7, 1), (8, null);
insert into inh_no_inherit values (9, 't', 1, 9);
insert into inh_left (id, a) values (10, 1);
insert into inh_dropped (x, z) values (1, 2);
create table inh_empty () inherits (inh_other);
create table inh_both (t text default null) inherits (inh_parent, inh_other);
insert into inh_empty (x) values (5), (5);
create index on inh_child (t);

-- Tables made in other ways.
create table made_by_like (like indexed including all, extra int default 1);
create table made_by_as as select i, i::text as t, null::numeric(5,2) as n, array[i] as a from generate_series(1, 3) i;
create table made_by_select (only_first, second) as values (1, 'x'::"char"), (2, null);
create table collated (a text collate "C", b text collate "POSIX", c varchar(5) collate pg_catalog."default", d text[] collate "C", e name);
insert into collated values ('a', 'B', 'c', '{ä,Ä}', 'n');
create table defaults (
  id int default 1 + 1, t text default E'quote '' backslash \\ newline \n dollar $$ percent % é', n numeric default '-Infinity', a int[] default '{1,NULL}'::int[], ts timestamptz default now(), d date default current_date, u uuid default gen_random_uuid(),
  r regclass default 'tables.dropped'::regclass, j jsonb default '{"a": [1, null]}', e types.mood default 'it''s', c types.inner_pair default row(1, 'x'), b bytea default '\x0001', nn text default null, cu name default current_user, i interval default '1 mon -1 day',
  x bit(3) default b'101', m money default '1.50', s text default (case when true then 'yes' else null end), rr int4range default '[1,5)', bo boolean default (not false), cs text default concat_ws(',', 'a', null, 'b'), f float8 default 'NaN', p point default '(1,2)');
insert into defaults (ts, d, u, cu) values ('2000-01-01 00:00:00+00', '2000-01-01', '00000000-0000-0000-0000-000000000001', 'n');
comment on table defaults is 'Table of defaults';
comment on column defaults.t is 'Column''s comment';

---------------------------------------------------------------------------------------------------- partitions

create schema parts;
create schema parts_other;
set search_path = parts, pg_catalog;

create table by_range (id int not null, at date not null, t text default 'parent', g int generated always as (id * 2) stored, constraint by_range_key primary key (id, at)) partition by range (at);
create table by_range_early partition of by_range (t default 'early') for values from (minvalue) to ('2000-01-01');
create table by_range_2000 partition of by_range (constraint only_2000 check (t <> 'x'), t not null) for values from ('2000-01-01') to ('2001-01-01') with (fillfactor = 70);
create table parts_other.by_range_2001 partition of by_range for values from ('2001-01-01') to ('2002-01-01');
create unlogged table by_range_2002 partition of by_range for values from ('2002-01-01') to ('2003-01-01');
create table by_range_default partition of by_range default;
-- Attached, with the columns in another order, dropped ones between, and its own key and indexes.
create table by_range_2003 (t text, gone int, at date not null, id int not null, g int generated always as (id * 2) stored, gone_too text, constraint "own name" primary key (at, id));
alter table by_range_2003 drop column gone, drop column gone_too, drop constraint "own name", add constraint "own name of the key" primary key (id, at);
create index own_index on by_range_2003 (t) where t is not null;
alter table by_range attach partition by_range_2003 for values from ('2003-01-01') to ('2004-01-01');
create index by_range_t on by_range (t);
create index by_range_only on only by_range (lower(t));
create index on by_range_2000 (lower(t));
create unique index on by_range (at desc, id) include (t);
create statistics on_partitioned on id, at from by_range;
insert into by_range (id, at, t) select i, date '1999-06-01' + i * 7, 'row ' || i from generate_series(1, 400) i;
insert into by_range (id, at, t) values (1000, 'infinity', E'\\.'), (1001, '-infinity', '');
comment on table by_range is 'A partitioned table';
comment on table by_range_2003 is 'A partition';
comment on index by_range_t is 'A partitioned index';
create table detached partition of by_range for values from ('2010-01-01') to ('2011-01-01');
insert into by_range (id, at) values (5000, '2010-05-05');
alter table by_range detach partition detached;
alter index own_index set (fillfactor = 55);

create table by_list (id int, kind text collate "C", m types.mood, at timestamptz default '2000-01-01 00:00:00+00') partition by list (kind);
create table by_list_null partition of by_list for values in (null, '', '\.');
create table by_list_odd partition of by_list for values in ('it''s', '"', E'new\nline', 'a,b');
create table "by list ""rest""" partition of by_list default;
insert into by_list select i, (array[null, '', '\.', 'it''s', '"', E'new\nline', 'a,b', 'rest', 'NULL'])[i % 9 + 1], 'ok' from generate_series(1, 90) i;
create table by_list_mood (m types.mood, b boolean, n int) partition by list (m);
create table by_list_mood_1 partition of by_list_mood for values in ('sad', '', 'it''s');
create table by_list_mood_2 partition of by_list_mood for values in ('ok', null);
insert into by_list_mood values ('sad', true, 1), ('', null, 2), ('ok', false, 3), (null, null, 4), ('it''s', true, 5);

create table by_hash (id int primary key, t text) partition by hash (id);
create table by_hash_0 partition of by_hash for values with (modulus 4, remainder 0);
create table by_hash_1 partition of by_hash for values with (modulus 4, remainder 1);
create table by_hash_2 partition of by_hash for values with (modulus 4, remainder 2);
create table by_hash_3 partition of by_hash for values with (modulus 8, remainder 3);
create table by_hash_7 partition of by_hash for values with (modulus 8, remainder 7);
insert into by_hash select i, 'hash ' || i from generate_series(1, 500) i;
-- An enum value's hash is that of its oid: after a restore rows may belong to another partition.
create table by_hash_mood (m types.mood, n int, t text) partition by hash (m);
create table by_hash_text (t text, n int, extra types.mood) partition by hash (t);
create table by_hash_two (a int, b types.mood, c text) partition by hash (b, a);
do $$
begin
  for i in 0..4 loop
    execute format('create table parts.by_hash_mood_%s partition of parts.by_hash_mood for values with (modulus 5, remainder %1$s)', i);
    execute format('create table parts_other.by_hash_text_%s partition of parts.by_hash_text for values with (modulus 5, remainder %1$s)', i);
    execute format('create table parts.by_hash_two_%s partition of parts.by_hash_two for values with (modulus 5, remainder %1$s)', i);
  end loop;
end $$;
insert into by_hash_mood select m, n, n || 'x' from unnest(enum_range(null::types.mood)) m, generate_series(1, 20) n;
insert into by_hash_mood values (null, null, null), (null, 0, ''), (null, 0, '');
insert into by_hash_text select 'text ' || i, i, 'ok' from generate_series(1, 200) i;
insert into by_hash_text values (null, 0, null), ('', 0, ''), (E'\\.', 0, '\.');
insert into by_hash_two select n, m, 'c' from unnest(enum_range(null::types.mood)) m, generate_series(1, 5) n;

-- A partition with its columns in another order; its rows, too, may belong to the one beside it after a restore.
create table by_hash_order (m types.mood, t text, n int) partition by hash (m);
create table by_hash_order_0 partition of by_hash_order for values with (modulus 2, remainder 0);
create table by_hash_order_1 (n int, gone int, t text, m types.mood);
alter table by_hash_order_1 drop column gone;
alter table by_hash_order attach partition by_hash_order_1 for values with (modulus 2, remainder 1);
insert into by_hash_order select m, E'a,"b"\n' || n, n from unnest(enum_range(null::types.mood)) m, generate_series(1, 5) n;
insert into by_hash_order values (null, '', null), (null, null, 0), ('ok', E'\\.', 1);

-- Several levels: range, then list, then hash by an enum; and a hash within a hash.
create table levels (region text, at date, m types.mood, n bigint, note text) partition by range (at);
create table levels_2000 partition of levels for values from ('2000-01-01') to ('2001-01-01') partition by list (region);
create table levels_2001 (note text, n bigint, m types.mood, at date, region text) partition by list (region);
alter table levels attach partition levels_2001 for values from ('2001-01-01') to ('2002-01-01');
create table levels_2000_ch partition of levels_2000 for values in ('ch') partition by hash (m);
create table levels_2000_ch_0 partition of levels_2000_ch for values with (modulus 2, remainder 0);
create table levels_2000_ch_1 partition of levels_2000_ch for values with (modulus 2, remainder 1) partition by hash (n);
create table levels_2000_ch_1_0 partition of levels_2000_ch_1 for values with (modulus 2, remainder 0);
create table levels_2000_ch_1_1 partition of levels_2000_ch_1 for values with (modulus 2, remainder 1);
create table levels_2000_rest partition of levels_2000 default;
create table parts_other.levels_2001_ch (m types.mood, region text, n bigint, at date, note text);
alter table levels_2001 attach partition parts_other.levels_2001_ch for values in ('ch', 'li');
create table levels_2001_rest partition of levels_2001 default partition by range (n, at);
create table levels_2001_rest_low partition of levels_2001_rest for values from (minvalue, minvalue) to (50, '2001-07-01');
create table levels_2001_rest_high partition of levels_2001_rest for values from (50, '2001-07-01') to (maxvalue, maxvalue);
create table levels_default partition of levels default partition by hash (region);
create table levels_default_0 partition of levels_default for values with (modulus 1, remainder 0);
insert into levels
select (array['ch', 'li', 'de', null])[i % 4 + 1], date '1999-11-01' + i * 2, (enum_range(null::types.mood))[i % 16 + 1], i, E'note\n' || i from generate_series(1, 500) i;
insert into levels values (null, null, null, null, null), ('ch', '2000-05-05', null, null, '');
create index levels_index on levels (n, m);
create index on levels_2001 (note);

create table by_expression (t text, at timestamp, n numeric) partition by range (lower(t) collate "C", (extract(year from at)));
create table by_expression_a partition of by_expression for values from ('a', minvalue) to ('m', 2000);
create table by_expression_m partition of by_expression for values from ('m', 2000) to ('{', maxvalue);
insert into by_expression values ('Abc', '1999-01-01', 1), ('xyz', '2001-01-01', 'NaN'), ('M', '2000-01-01', null);
create table by_range_bool (b bool, n int) partition by range (n);
create table by_range_numbers partition of by_range_bool for values from (-2147483648) to (2147483647);
insert into by_range_bool values (true, -2147483648), (null, 0);
create table no_partitions (id int primary key, t text) partition by hash (id);
create table only_default (id int, t text) partition by list (id);
create table only_default_partition partition of only_default default;
insert into only_default values (1, 'x'), (null, null);

-- References to and from partitioned tables, and between partitions.
create table refers_to_partitioned (id int primary key, range_id int, range_at date, hash_id int references by_hash on delete cascade, foreign key (range_id, range_at) references by_range deferrable);
insert into refers_to_partitioned select i, i, date '1999-06-01' + i * 7, i * 2 from generate_series(1, 50) i;
insert into refers_to_partitioned values (1000, null, null, null);
create table partitioned_refers (id int, h int references by_hash, parent int, primary key (id), foreign key (parent) references partitioned_refers) partition by range (id);
create table partitioned_refers_2 partition of partitioned_refers (foreign key (h) references by_hash on update cascade) for values from (100) to (200);
create table partitioned_refers_1 partition of partitioned_refers for values from (0) to (100);
insert into partitioned_refers select i, i + 1, 199 - i from generate_series(0, 199) i;
create table refers_to_leaf (id int references by_hash_1, at date, foreign key (id, at) references parts_other.by_range_2001 (id, at));
insert into refers_to_leaf select id from by_hash_1 order by id limit 5;

create function parts.note_row() returns trigger language plpgsql as $$ begin if tg_when = 'BEFORE' then new.note := new.note || ' noted'; end if; return new; end $$;
create trigger before_row before insert on levels for each row execute function parts.note_row();
create trigger after_row after insert or update of n on levels for each row when (new.n > 10) execute function parts.note_row();
create trigger statement after insert on levels for each statement execute function parts.note_row();
create trigger own_of_leaf before update on levels_2000_rest for each row execute function parts.note_row();
alter table levels_2000_rest disable trigger before_row;
alter table levels_2001_rest_low enable always trigger after_row;
\if :ge17
create table identity_partitioned (id int generated always as identity (start 10), at date) partition by range (at);
create table identity_partition partition of identity_partitioned for values from ('2000-01-01') to ('2001-01-01');
insert into identity_partitioned (at) values ('2000-05-05'), ('2000-06-06');
\endif

-- Many partitions
create table hundred (id int not null, t text) partition by range (id);
do $$
begin
  for i in 1..60 loop
    execute format('create table parts.hundred_%s partition of parts.hundred for values from (%s) to (%s)', lpad(i::text, 3, '0'), i * 10 - 10, i * 10);
  end loop;
end $$;
alter table hundred add primary key (id);
insert into hundred select i, 'of hundreds ' || i from generate_series(0, 599, 3) i;

-- A dummy wrapper's table as a partition: reading the parent fails, reading the leaves does not.
create foreign data wrapper dummy options (debug 'true', "odd ""option""" 'it''s');
create server dummy_server type 'a type' version '1''2' foreign data wrapper dummy options (host 'nowhere');
create foreign table parts_other.foreign_partition (id int not null, t text options (column_name 'other')) server dummy_server options (path '/dev/null');
create table partly_foreign (id int not null, t text) partition by list (id);
create table partly_foreign_local partition of partly_foreign for values in (1, 2);
alter table partly_foreign attach partition parts_other.foreign_partition for values in (3);
insert into partly_foreign values (1, 'x'), (2, null);

---------------------------------------------------------------------------------------------------- functions

create schema objects;
create schema "Objects too";
set search_path = objects, pg_catalog;

create table base (id int primary key, name text not null, n numeric, grp int, at timestamptz default '2000-01-01 00:00:00+00');
insert into base select i, 'name ' || i, case when i % 10 <> 0 then i * 1.5 end, i % 7, timestamptz '2000-01-01 00:00:00+00' + i * interval '1 hour' from generate_series(1, 300) i;
create table log (id int generated always as identity primary key, what text, at timestamptz default now());

create function objects.sql_body(a int, b int default 5, variadic rest int[] default '{}') returns int language sql immutable parallel safe cost 3 as $$ select a + b + cardinality(rest) $$;
create function objects.sql_atomic(a int) returns setof objects.base language sql stable rows 7 begin atomic
  select * from objects.base where id = a;
  select * from objects.base b where b.grp = a order by id;
end;
create function objects.sql_return(a text, out upper text, out length int) language sql immutable strict return (upper(a), length(a));
create function objects.grouped_by_key() returns table (id int, name text, c bigint) language sql begin atomic select b.id, b.name, count(*) from objects.base b group by b.id; end;
create function objects.plpgsql_all(inout a int, in b text = E'it''s \\ "', out c text[]) returns record language plpgsql volatile strict leakproof security definer cost 100.5 parallel restricted
  set search_path to 'objects', '$user', 'odd.schema' set work_mem = '8MB' set datestyle to 'ISO, DMY' as $body$
begin
  -- $$ dollars $$ and \backslashes\ and 'quotes', 😀
  c := array[b, a::text];
  a := a + 1;
end $body$;
create function objects.crlf() returns text language sql as E'select ''a\r\nb'';\r\n\t-- end\r\n';
create function objects."Odd ""name"".é"("a ""b""" text, "select" int default 1) returns text language sql as $$ select "a ""b""" || "select" $$;
create function objects.overloaded() returns int language sql as 'select 0';
create function objects.overloaded(int) returns int language sql as 'select 1';
create function objects.overloaded(text, variadic anyarray) returns anyelement language sql as 'select $2[1]';
create function objects.polymorphic(anycompatible, anycompatiblearray, anyrange) returns anycompatible language sql as 'select $1';
create function objects.returns_rows(objects.base) returns setof record language sql as 'select 1, ''x''';
create function objects.returns_void() returns void language plpgsql as 'begin end';
create function objects.window_row() returns bigint language internal window immutable strict as 'window_row_number';
create function objects.supported(text, text) returns boolean language internal immutable strict support textlike_support as 'textlike';
create function objects.computed(objects.base) returns text language sql stable as $$ select $1.name || '!' $$;
create function objects.refcursors(refcursor) returns refcursor language plpgsql as $$ begin open $1 for select * from objects.base; return $1; end $$;
create procedure objects.proc(a int, out c int, inout b text default 'x') language plpgsql as $$ begin c := a; commit; end $$;
create procedure objects.proc_atomic(a int) language sql begin atomic insert into objects.log (what) values ('proc ' || a); delete from objects.log where id = -a; end;
create procedure objects.proc(text) language sql security definer set work_mem from current as 'select 1';
comment on function objects.sql_body(int, int, int[]) is 'A function';
comment on procedure objects.proc(text) is 'A procedure';
\if :ge17
create function objects.merging(a int) returns void language sql begin atomic
  merge into objects.log l using objects.base b on l.id = b.id when matched and b.id = a then update set what = b.name when not matched by source and l.id = -1 then delete when not matched and false then insert (what) values (b.name);
end;
\endif

-- A default that leads through a function and a view to a materialized view; a function whose argument is its own table's row.
create materialized view for_default as select max(id) as top, count(*) as n from objects.base;
create view over_for_default as select top * 10 as top from objects.for_default;
create function objects.next_from_view() returns bigint language plpgsql as $$ begin return (select top from objects.over_for_default); end $$;
create function objects.next_atomic() returns bigint language sql stable begin atomic select top + 1 from objects.over_for_default; end;
create table defaults_from_view (id int, from_view bigint default objects.next_from_view(), from_atomic bigint default objects.next_atomic());
insert into defaults_from_view (id) values (1), (2);
create table own_row (id int primary key, t text);
create function objects.of_own_row(objects.own_row) returns int language sql immutable as 'select $1.id * 2';
create function objects.make_own_row() returns objects.own_row language plpgsql as $$ declare r objects.own_row; begin r.t := 'made'; return r; end $$;
alter table own_row add column other text default (objects.make_own_row()).t;
alter table own_row add check (objects.of_own_row(own_row.*) > 0);
insert into own_row (id, t) values (1, 'a'), (2, 'b');

---------------------------------------------------------------------------------------------------- aggregates, operators, languages and the like

create function objects.add_state(state numeric, n numeric) returns numeric language sql immutable as 'select coalesce(state, 0) + coalesce(n, 0)';
create function objects.subtract_state(state numeric, n numeric) returns numeric language sql immutable as 'select state - coalesce(n, 0)';
create aggregate objects.total(numeric) (sfunc = objects.add_state, stype = numeric, initcond = '0', combinefunc = numeric_add, parallel = safe,
  msfunc = objects.add_state, minvfunc = objects.subtract_state, mstype = numeric, minitcond = '0', sspace = 32);
create aggregate objects.collect(anycompatible) (sfunc = array_append, stype = anycompatiblearray, initcond = '{}');
create aggregate objects.top(int) (sfunc = int4larger, stype = int, sortop = >);
create aggregate objects.percentile(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra = true, finalfunc_modify = read_write);
create aggregate objects.ranked(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi, stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
create aggregate objects."Count"(*) (sfunc = int8inc, stype = int8, initcond = '0');
comment on aggregate objects.total(numeric) is 'An aggregate';
comment on aggregate objects."Count"(*) is 'Another';

create function objects.similar_to(text, text) returns boolean language sql immutable as 'select lower($1) = lower($2)';
create operator objects.~~~ (function = objects.similar_to, leftarg = text, rightarg = text, commutator = operator(objects.~~~), restrict = eqsel, join = eqjoinsel);
create operator "Objects too".@#! (function = int4abs, rightarg = int);
create operator objects.|/| (function = objects.similar_to, leftarg = text, rightarg = text, negator = operator(objects.|/|!));
comment on operator "Objects too".@#! (none, int) is 'A prefix operator';

create function objects.own_handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function objects.own_inline(internal) returns void language c strict as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function objects.own_validator(oid) returns void language c strict as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language own_language handler objects.own_handler inline objects.own_inline validator objects.own_validator;
create function objects.in_own_language(a int) returns int language own_language as 'begin return a; end';
comment on language own_language is 'A language';
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
comment on transform for int language sql is 'A transform';
create function objects.with_transform(int) returns int language sql transform for type int as 'select $1';
create conversion objects.latin1_again for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create default conversion "Objects too".latin1_default for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
comment on conversion objects.latin1_again is 'A conversion';

create collation objects.plain (provider = libc, locale = 'C');
create collation "Objects too"."A collation" from "POSIX";
comment on collation objects.plain is 'A collation';
\if :has_c_utf8
create collation objects.utf8 (provider = libc, lc_collate = 'C', lc_ctype = 'C.utf8');
\endif
\if :ge17
create collation objects.builtin_utf8 (provider = builtin, locale = 'C.UTF-8');
create table uses_builtin (t text collate objects.builtin_utf8 primary key);
insert into uses_builtin values ('b'), ('A'), ('é');
\endif
\if :has_icu
create collation objects.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation objects.german (provider = icu, locale = 'de-u-co-phonebk');
create table uses_icu (t text collate objects.ignore_case, g text collate objects.german primary key, check (t <> 'ABC'));
insert into uses_icu values ('x', 'ä'), ('X', 'ae'), (null, 'z');
create index on uses_icu (t);
\endif
create table uses_collations (a text collate objects.plain, b text collate "Objects too"."A collation", primary key (a, b));
insert into uses_collations values ('a', 'B'), ('A', 'b');

create text search parser objects.own_parser (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);
create text search template objects.own_template (init = dsimple_init, lexize = dsimple_lexize);
create text search dictionary objects.own_dictionary (template = objects.own_template, stopwords = 'english', accept = 'false');
create text search dictionary objects.own_stem (template = snowball, language = 'german', stopwords = 'german');
create text search dictionary "Objects too"."Synonyms" (template = synonym, synonyms = 'synonym_sample', casesensitive = 1);
create text search dictionary objects.own_ispell (template = ispell, dictfile = 'ispell_sample', afffile = 'ispell_sample', stopwords = 'english');
create text search configuration objects.own_configuration (parser = objects.own_parser);
alter text search configuration objects.own_configuration add mapping for asciiword, word with objects.own_stem, objects.own_dictionary, "Objects too"."Synonyms", simple;
alter text search configuration objects.own_configuration add mapping for email, url with simple;
create text search configuration objects.copied (copy = pg_catalog.english);
alter text search configuration objects.copied drop mapping for uint;
alter text search configuration objects.copied alter mapping replace english_stem with objects.own_ispell;
comment on text search parser objects.own_parser is 'A parser';
comment on text search template objects.own_template is 'A template';
comment on text search dictionary objects.own_dictionary is 'A dictionary';
comment on text search configuration objects.own_configuration is 'A configuration';
create table uses_search (id int primary key, t text, v tsvector generated always as (to_tsvector('objects.copied'::regconfig, t)) stored, c regconfig default 'objects.own_configuration');
insert into uses_search (id, t) values (1, 'The booking of the skies, footballklubber and 42'), (2, ''), (3, null);
create index on uses_search using gin (to_tsvector('objects.own_configuration'::regconfig, t));

---------------------------------------------------------------------------------------------------- views

create view simple_view as select id, name from objects.base where id < 10;
create view view_on_view (a, "B ""quoted""") as select v.id, upper(v.name) from objects.simple_view v with cascaded check option;
create view barrier with (security_barrier) as select * from objects.base where grp = 1 with local check option;
create view star as select * from objects.base natural join (select id, 'x' as x from objects.base) t;
create recursive view counted (n, path) as select 1, array[1] union all select n + 1, path || n from counted where n < 5;
create view searched as with recursive t (id, grp) as (select id, grp from objects.base where id = 1 union all select b.id, b.grp from objects.base b join t on b.id = t.id + 1 where b.id < 10)
  search depth first by id set ord cycle id set looped to 1 default 0 using path select id, grp, looped from t order by ord;
create view complicated as
  select b.id, count(*) filter (where l.id > 1) as c, sum(b.n) over w as s, rank() over (partition by b.grp order by b.id rows between 1 preceding and unbounded following exclude ties) as r, array_agg(distinct l.what order by l.what desc) as a, grouping(b.id) as g,
    (select max(x) from unnest(array[1, 2]) with ordinality as u (x, o)) as m, exists (select from objects.log) as e, coalesce(nullif(b.name, ''), E'\\"''') as co, b.name like 'n%' as li, (b.name collate "C") < 'x' as lt, (row(b.id, b.name)::types.inner_pair).b as rb,
    case b.grp when 1 then 'one' else null end as ca, b.at at time zone 'UTC' as az, extract(epoch from b.at) as ex, b.id in (1, 2, 3) as i, b.id = any (array[1, 2]) as an, b.name is distinct from 'x' as di, not (b.id between 1 and 2) as nb, cast(b.id as numeric(10, 2)) as nu, interval '1 day' * b.id as iv
  from objects.base b left join lateral (select * from objects.log where log.id = b.id limit 1) l on true
  group by rollup (b.id), b.name, b.grp, b.n, b.at, l.id having count(*) > 0 window w as (order by b.id) order by 1 desc nulls last limit 5 offset 1;
create view set_operations as (select 1 as a union select 2 except all select 3) intersect select a from (values (1), (2)) v (a) order by 1;
create view table_sample as select id from objects.base tablesample bernoulli (50) repeatable (1);
create view rows_from as select * from rows from (generate_series(1, 3), unnest(array['a', 'b'])) with ordinality as t (n, t, o);
create view json_view as select b.id, j.key, j.value from objects.base b, jsonb_each(jsonb_build_object('a', b.id)) j;
create view whole_row as select b, b.*::text as t from objects.base b where b is not null;
create view no_column_view as select from objects.base;
create view using_key as select b.id, b.name, b.n, count(l.*) as logs from objects.base b left join objects.log l on l.what = b.name group by b.id;
create view updatable as select id, name, n from objects.base where n > 5;
alter view updatable alter column name set default 'from the view';
create view inserting as with inserted as (select 1 as x) select * from inserted;
\if :ge15
create view invoker with (security_invoker = true, security_barrier = true) as select * from objects.base;
\endif
\if :ge16
create view json_constructors as select json_object('a': 1, 'b': null absent on null) as o, json_array(1, 2 returning jsonb) as a, '{}' is json object with unique keys as i, json_arrayagg(id order by id) as g from objects.base where id < 3;
\endif
\if :ge17
create view json_tables as select * from json_table('[{"a": 1}]'::jsonb, '$[*]' columns (n for ordinality, a int path '$.a' default 0 on empty, nested path '$.b[*]' columns (b text path '$'))) t;
create view json_queries as select json_value('{"a": 1}'::jsonb, '$.a' returning int default 5 on error) as v, json_query('[1]'::jsonb, '$[*]' with wrapper keep quotes) as q, json_exists('{}'::jsonb, '$.x') as e;
\endif
\if :has_xml
create view xml_view as select xmlelement(name "a b", xmlattributes(id as i), xmlforest(name, n), xmlpi(name php, 'x')) as x, xmlserialize(content xmlconcat('<a/>', '<b/>') as text) as s, t.y from objects.base, xmltable('/r/x' passing ('<r><x>1</x></r>'::xml) columns y int path '.') t where id < 3;
\endif
alter view simple_view rename column name to renamed;
comment on view simple_view is 'A view';
comment on column simple_view.renamed is 'A view''s column';

-- A view and a function that need each other.
create view circular as select 1 as a, 'x'::text as b;
create function objects.of_circular() returns setof objects.circular language sql as $$ select 1, 'x'::text $$;
create or replace view circular as select * from objects.of_circular();

---------------------------------------------------------------------------------------------------- materialized views

create materialized view mat_plain as select id, name, n from objects.base where id <= 100;
create unique index mat_plain_key on mat_plain (id);
create index on mat_plain using hash (name) with (fillfactor = 60);
create index on mat_plain (upper(name)) where n > 5;
alter materialized view mat_plain cluster on mat_plain_key;
alter materialized view mat_plain alter name set storage external, alter n set statistics 5;
create materialized view mat_unpopulated (a, b) with (fillfactor = 40) as select id, name from objects.base with no data;
create index on mat_unpopulated (b);
-- Named so that alphabetical order is the wrong one.
create materialized view mat_z_first as select grp, sum(n) as n from objects.base group by grp;
create view mat_middle as select grp, n * 2 as n from objects.mat_z_first where n is not null;
create materialized view "Objects too".mat_a_last as select grp, n, (select count(*) from objects.mat_plain) as c from objects.mat_middle;
create materialized view mat_b_last as select m.*, f.t from "Objects too".mat_a_last m, lateral (select objects.sql_body(m.grp) as t) f;
create materialized view mat_from_key as select id, name, count(*) as c from objects.base group by id;
create materialized view mat_empty as select * from objects.base where false;
create materialized view mat_no_columns as select from objects.base where id < 4;
create materialized view mat_over_partitions as select kind, count(*) as c from parts.by_list group by kind;
create materialized view mat_odd_values as select * from texts.samples where id < 120;
create materialized view mat_old as select 1 as a, repeat('x', 3) as t with no data;
refresh materialized view mat_old;
refresh materialized view concurrently mat_plain;
comment on materialized view mat_plain is 'A materialized view';
comment on column mat_plain.name is 'Its column';
create statistics mat_statistics on id, name from mat_plain;

---------------------------------------------------------------------------------------------------- rules and triggers

create table ruled (id int primary key, t text);
insert into ruled values (1, 'before the rules');
create rule on_insert as on insert to ruled do also insert into objects.log (what) values ('insert ' || new.id);
create rule on_update as on update to ruled where old.id <> new.id do instead nothing;
create rule on_delete as on delete to ruled do instead (update objects.ruled set t = 'deleted' where id = old.id; insert into objects.log (what) values ('delete'); notify "a channel", 'payload''s');
create rule "Odd rule" as on insert to ruled where new.id = 99 do instead select * from objects.log;
alter table ruled disable rule on_update;
alter table ruled enable always rule on_delete;
create rule to_view as on insert to view_on_view do instead insert into objects.base (id, name) values (new.a, new."B ""quoted""") returning id, name;
comment on rule on_insert on ruled is 'A rule';
create view by_rule as select * from objects.ruled;
create rule by_rule_update as on update to by_rule do instead update objects.ruled set t = new.t where id = old.id returning *;

create function objects.trigger_log() returns trigger language plpgsql as $$
begin
  insert into objects.log (what) values (concat_ws(' ', tg_name, tg_when, tg_op, tg_level, tg_argv::text));
  return case tg_op when 'DELETE' then old else new end;
end $$;
create table triggered (id int primary key, a text, b text, n int);
insert into triggered values (1, 'a', 'b', 1), (2, E'\\.', null, null);
create trigger before_insert before insert on triggered for each row execute function objects.trigger_log('argument', 'it''s', '\', E'new\nline', '');
create trigger after_all after insert or update or delete on triggered for each row execute function objects.trigger_log();
create trigger after_columns after update of a, b on triggered for each row when (old.a is distinct from new.a and new.n > 5) execute function objects.trigger_log(1, 2.5);
create trigger statement_level before truncate or delete on triggered for each statement execute function objects.trigger_log();
create trigger transition after update on triggered referencing old table as old_rows new table as "New rows" for each statement execute function objects.trigger_log();
create constraint trigger constrained after insert on triggered deferrable initially deferred for each row when (new.id > 0) execute function objects.trigger_log();
create constraint trigger from_other after delete on triggered from objects.base not deferrable for each row execute function objects.trigger_log();
create trigger "Odd trigger ""name""" after insert on triggered for each row execute function objects.trigger_log();
create trigger disabled before update on triggered for each row execute function objects.trigger_log();
create trigger replica before update on triggered for each row execute function objects.trigger_log();
create trigger always before update on triggered for each row execute function objects.trigger_log();
create trigger same_update before update on triggered for each row execute function suppress_redundant_updates_trigger();
create trigger fills_search before insert on torture.t_search for each row execute function tsvector_update_trigger(v, 'pg_catalog.english', q);
drop trigger fills_search on torture.t_search;
alter table triggered disable trigger disabled, enable replica trigger replica, enable always trigger always;
create trigger instead_of instead of insert or update or delete on star for each row execute function objects.trigger_log('view');
comment on trigger before_insert on triggered is 'A trigger';
create table all_disabled (id int primary key, parent int references all_disabled);
create trigger gone before insert on all_disabled for each row execute function objects.trigger_log();
alter table all_disabled disable trigger user;
insert into all_disabled values (1, 1);
-- Would change every row, were the rows to come by INSERT while it is there; and one that refuses them.
create function objects.change_row() returns trigger language plpgsql as $$ begin new.t := 'changed by a trigger'; return new; end $$;
create function objects.refuse_row() returns trigger language plpgsql as $$ begin raise exception 'no row is welcome'; end $$;
create table changing (id int, t text);
create table refusing (id int, t text);
create table swallowing (id int, t text);
insert into changing values (1, 'as it was'), (2, null);
insert into refusing values (1, 'as it was');
insert into swallowing values (1, 'as it was');
create trigger change before insert on changing for each row execute function objects.change_row();
create trigger refuse before insert on refusing for each row execute function objects.refuse_row();
alter table refusing enable always trigger refuse;
create rule swallow as on insert to swallowing do instead nothing;

---------------------------------------------------------------------------------------------------- owners and privileges

create schema security authorization torture_owner;
set search_path = security, pg_catalog;
grant usage on schema security to torture_reader with grant option;
grant usage, create on schema objects to torture_owner;
revoke all on schema texts from public;
grant all on schema texts to public;
grant usage on schema "odd.schema" to torture_reader;
grant create on schema public to torture_reader;
revoke usage on schema public from public;
comment on schema public is 'Not the comment of initdb';

create table owned (id int generated by default as identity primary key, a text, b text, "c ""odd""" text);
insert into owned (a, b, "c ""odd""") select 'a' || i, 'b' || i, null from generate_series(1, 20) i;
alter table owned owner to torture_owner;
grant select, insert on owned to torture_reader with grant option;
grant select (a, "c ""odd"""), update (b), references (id) on owned to public;
grant update (a) on owned to torture_reader with grant option;
set role torture_reader;
grant select on security.owned to public;
grant update (a) on security.owned to torture_owner;
reset role;
revoke truncate, trigger on owned from torture_owner;
create table nobody (id int);
alter table nobody owner to torture_owner;
revoke all on nobody from torture_owner;
insert into nobody values (1), (2);
create table everybody (id int);
grant all on everybody to public;
create table columns_only (id int, secret text);
grant select (id) on columns_only to torture_reader;
revoke all on columns_only from postgres;
insert into columns_only values (1, 's');
\if :ge17
grant maintain on everybody to torture_reader;
\endif

create sequence owned_sequence;
alter sequence owned_sequence owner to torture_owner;
grant usage on owned_sequence to torture_reader;
create view owned_view as select id, a from security.owned;
alter view owned_view owner to torture_owner;
grant select (id) on owned_view to torture_reader;
grant select on objects.base to torture_owner;
create materialized view owned_mat as select count(*) as c from objects.base where grp = 1;
alter materialized view owned_mat owner to torture_owner;
create index on owned_mat (c);
grant select on owned_mat to torture_reader;
create function security.owned_function(int) returns int language sql security definer as 'select $1';
alter function security.owned_function(int) owner to torture_owner;
revoke execute on function security.owned_function(int) from public;
grant execute on function security.owned_function(int) to torture_reader;
create procedure security.owned_procedure() language sql as 'select 1';
alter procedure security.owned_procedure() owner to torture_owner;
revoke all on procedure security.owned_procedure() from public, torture_owner;
create aggregate security.owned_aggregate(int) (sfunc = int4pl, stype = int);
alter aggregate security.owned_aggregate(int) owner to torture_owner;
grant execute on function security.owned_aggregate(int) to torture_reader;
create type security.owned_type as (a int);
alter type security.owned_type owner to torture_owner;
revoke usage on type security.owned_type from public;
grant usage on type security.owned_type to torture_reader with grant option;
create domain security.owned_domain as int check (value > 0);
alter domain security.owned_domain owner to torture_owner;
revoke usage on type security.owned_domain from public;
create type security.owned_enum as enum ('a');
alter type security.owned_enum owner to torture_owner;
create operator security.#+# (function = int4pl, leftarg = int, rightarg = int);
alter operator security.#+# (int, int) owner to torture_owner;
create operator family security.owned_family using btree;
alter operator family security.owned_family using btree owner to torture_owner;
create collation security.owned_collation (locale = 'C');
alter collation security.owned_collation owner to torture_owner;
create text search configuration security.owned_configuration (copy = simple);
alter text search configuration security.owned_configuration owner to torture_owner;
create statistics owned_statistics on a, b from owned;
alter statistics owned_statistics owner to torture_owner;
revoke usage on language plpgsql from public;
grant usage on language plpgsql to torture_reader;
grant usage on language plpgsql to public;
grant usage on language own_language to torture_reader;
alter function security.owned_function(int) depends on extension hstore;
alter index tables.i_hstore depends on extension hstore;
alter materialized view objects.mat_empty depends on extension citext;
alter trigger disabled on objects.triggered depends on extension cube;
-- On something that initdb made.
revoke execute on function pg_catalog.pg_sleep(float8) from public;
grant execute on function pg_catalog.pg_sleep(float8) to torture_reader;
grant select (rolname) on pg_catalog.pg_authid to torture_reader;

alter default privileges grant select on tables to torture_reader;
alter default privileges in schema security grant usage on sequences to torture_reader with grant option;
alter default privileges revoke execute on functions from public;
alter default privileges for role torture_owner in schema security grant all on tables to public;
alter default privileges for role torture_owner revoke usage on types from public;
alter default privileges for role torture_owner grant usage on schemas to torture_reader;
\if :ge18
alter default privileges for role torture_owner grant select on large objects to torture_reader;
\endif
create table with_default_privileges (id serial, t text);
create table without_default_privileges (id serial, t text);
revoke all on without_default_privileges from torture_reader;
create function security.after_default_privileges() returns int language sql as 'select 1';
create function security.for_public_again() returns int language sql as 'select 1';
grant execute on function security.for_public_again() to public;
insert into with_default_privileges (t) values ('x');

---------------------------------------------------------------------------------------------------- row security

create table rls_plain (id int primary key, who name, t text);
create table rls_forced (id int primary key, who name, t text);
create table rls_no_policy (id int);
create table rls_disabled (id int);
alter table rls_plain enable row level security;
alter table rls_forced enable row level security, force row level security;
alter table rls_no_policy enable row level security;
alter table rls_forced owner to torture_owner;
create policy everyone on rls_plain using (true);
create policy own_rows on rls_plain as restrictive for select to torture_reader, torture_owner using (who = current_user);
create policy "Odd ""policy""" on rls_plain for update to public using (id > 0) with check (t <> E'it''s \\');
create policy inserting on rls_plain for insert with check (exists (select from security.owned o where o.id = rls_plain.id));
create policy nothing on rls_forced using (false) with check (false);
create policy not_enabled on rls_disabled for delete using (id = 1);
insert into rls_plain values (1, 'torture_owner', 'a'), (2, null, null);
insert into rls_forced values (1, 'torture_owner', 'hidden from its owner'), (2, 'torture_reader', E'\\.');
insert into rls_no_policy values (1);
insert into rls_disabled values (1);
comment on policy everyone on rls_plain is 'A policy';

---------------------------------------------------------------------------------------------------- large objects

select lo_create(700001), lo_create(700002), lo_create(4294967290) \g /dev/null
select lo_from_bytea(700003, decode(string_agg(md5(i::text), '' order by i), 'hex')) from generate_series(1, 196608) i \g /dev/null
select lo_from_bytea(700004, '\x00'), lo_from_bytea(700005, convert_to(E'\\.\r\n"text", 😀\n', 'UTF8')), lo_from_bytea(700006, decode(repeat('00', 2048), 'hex')), lo_from_bytea(700007, decode(repeat('ff', 2049), 'hex')) \g /dev/null
-- Sparse: 5 MB and 300 kB of holes, one of them at the end.
select lo_put(700002, 5000000, 'the end'), lo_put(700002, 1000000, 'in the middle') \g /dev/null
select lo_create(700008) \g /dev/null
begin;
select lo_truncate(lo_open(700008, 131072), 300000) \g /dev/null
commit;
do $$
begin
  for i in 1..40 loop
    perform lo_from_bytea(710000 + i, convert_to(repeat('large object ' || i || E'\n', i * 37), 'UTF8'));
  end loop;
end $$;
alter large object 700003 owner to torture_owner;
alter large object 700006 owner to torture_owner;
grant select on large object 700003 to torture_reader;
grant select, update on large object 700004 to torture_reader with grant option;
grant select on large object 700005, 700006 to public;
revoke all on large object 700007 from postgres;
comment on large object 700003 is E'3 MB, ''quoted''\nof two lines';
comment on large object 700001 is 'empty';
create table with_large_objects (id int primary key, o oid, l public.lo);
insert into with_large_objects values (1, 700001, 700001), (2, 700003, 700003), (3, null, null), (4, 999999, 0), (5, 4294967290, 4294967290);
create trigger manage before update or delete on with_large_objects for each row execute function public.lo_manage(l);

---------------------------------------------------------------------------------------------------- foreign data, publications, event triggers

create function security.check_options(text[], oid) returns boolean language sql as 'select true';
create foreign data wrapper "Odd ""wrapper""" validator security.check_options;
create server "Odd server" foreign data wrapper "Odd ""wrapper""" options ("a b" 'c''d');
create user mapping for torture_owner server dummy_server options ("user" 'remote', password 'it''s "x"');
create user mapping for public server "Odd server";
grant usage on foreign data wrapper dummy to torture_owner with grant option;
grant usage on foreign server dummy_server to torture_reader;
alter server dummy_server owner to torture_owner;
create foreign table foreign_table (id int options (key 'true') not null, t text collate "C" default 'x', g int generated always as (id * 2) stored, constraint positive check (id > 0)) server dummy_server options (schema_name 'a', table_name 'b"c');
create foreign table foreign_heir () inherits (tables.inh_other) server "Odd server";
alter foreign table foreign_heir no inherit tables.inh_other;
alter foreign table foreign_table alter t set statistics 3;
create trigger foreign_trigger before insert on foreign_table for each row execute function objects.trigger_log();
grant select on foreign_table to torture_reader;
comment on foreign data wrapper dummy is 'A wrapper';
comment on server dummy_server is 'A server';
comment on foreign table foreign_table is 'A foreign table';
comment on column foreign_table.t is 'Its column';

set client_min_messages = error; -- wal_level may be too low for a subscriber, which does not matter here
create publication everything for all tables with (publish = 'insert, truncate');
create publication "Odd ""publication""" for table tables.self_parent, parts.by_hash with (publish_via_partition_root = true, publish = 'insert, delete');
create publication empty_publication with (publish = '');
alter publication empty_publication owner to torture_owner;
comment on publication everything is 'A publication';
\if :ge15
create publication of_schemas for tables in schema parts, "odd.schema", table objects.own_row where (id > 5 and t <> E'it''s') with (publish = 'insert');
create publication of_columns for table objects.log (id, what), tables.composite_key (b, a);
\endif
\if :ge18
create publication of_generated for table tables.generated with (publish_generated_columns = stored);
\endif
reset client_min_messages;
set client_min_messages = warning;

---------------------------------------------------------------------------------------------------- many small tables

do $$
declare
  types text[] := array['int', 'text', 'bigint', 'numeric(12,3)', 'boolean', 'date', 'timestamptz', 'uuid', 'jsonb', 'bytea', 'text[]', 'float8', 'varchar(20)', 'int4range', 'inet', 'interval'];
  samples text[] := array['%s', E'text %s\n"quoted"', '%s000000000', '%s.125', 't', '2000-01-%s', '2000-01-01 00:00:%s+00', '00000000-0000-0000-0000-0000000000%s', '{"n": %s}', '\x00%s', '{a,NULL,"%s"}', '%s.5e-7', ',%s', '[%s,100)', '10.0.0.%s', '%s days'];
  k int;
  columns text;
  row_values text;
begin
  for s in 1..6 loop
    execute format('create schema bulk_%s', s);
    for t in 1..50 loop
      select string_agg(format('c%s %s%s', c, types[(s * 7 + t * 3 + c) % 16 + 1], case when c % 5 = 0 then ' not null' else '' end), ', ' order by c),
        string_agg(format('case when (r + %s) %% 6 = 0 and %1$s %% 5 <> 0 then null else format(%L, r)::%s end', c, samples[(s * 7 + t * 3 + c) % 16 + 1], types[(s * 7 + t * 3 + c) % 16 + 1]), ', ' order by c)
        into columns, row_values from generate_series(1, 1 + (s + t) % 12) c;
      execute format('create table bulk_%s.t_%s (%s%s)', s, t, case when t % 3 <> 0 then 'id int primary key, ' else '' end, columns);
      k := (s * t) % 40;
      execute format('insert into bulk_%s.t_%s select %s%s from generate_series(10, %s) r', s, t, case when t % 3 <> 0 then 'r, ' else '' end, row_values, least(9 + k, 30));
      if t % 4 = 0 then
        execute format('create index on bulk_%s.t_%s (c1)', s, t);
      end if;
      if t % 7 = 1 and t > 1 then
        execute format('alter table bulk_%s.t_%s add column parent int references bulk_%1$s.t_1', s, t);
      end if;
      if t % 10 = 0 then
        execute format('comment on table bulk_%s.t_%s is %L', s, t, 'Bulk ' || s || '.' || t);
        execute format('create view bulk_%s.v_%s as select * from bulk_%1$s.t_%2$s where c1 is not null', s, t);
      end if;
    end loop;
  end loop;
end $$;

-- Foreign keys across schemas, against the alphabet and in a chain of thirty.
create schema chain;
do $$
begin
  for i in reverse 30..1 loop
    execute format('create table chain.link_%s (id int primary key%s)', i, case when i < 30 then ', next int references chain.link_' || i + 1 else '' end);
  end loop;
  for i in reverse 30..1 loop
    execute format('insert into chain.link_%s select %s from generate_series(1, 10) r', i, case when i < 30 then 'r, 11 - r' else 'r' end);
  end loop;
end $$;

---------------------------------------------------------------------------------------------------- a comment on all that has none yet

do $$
declare
  r record;
begin
  for r in
    select c.oid, format('%s %I.%I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index' when 'f' then 'foreign table' when 'c' then 'type' else 'table' end, n.nspname, c.relname) as what
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('tables', 'parts', 'parts_other', 'objects', 'types') and c.relkind <> 't' and obj_description(c.oid, 'pg_class') is null and not (c.relkind = 'c' and obj_description(c.reltype, 'pg_type') is not null)
    order by n.nspname, c.relname
  loop
    execute format('comment on %s is %L', r.what, 'Comment on ' || r.what);
  end loop;
  for r in
    select case when t.conrelid <> 0 then format('%I on %s', conname, conrelid::regclass) else format('%I on domain %s', conname, contypid::regtype) end as what
    from pg_constraint t join pg_namespace n on n.oid = t.connamespace
    where n.nspname in ('tables', 'types') and contype not in ('t', 'n') and obj_description(t.oid, 'pg_constraint') is null
    order by 1
  loop
    execute format('comment on constraint %s is %L', r.what, 'Comment on constraint ' || r.what);
  end loop;
  for r in
    select format('%s %s', case prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end, p.oid::regprocedure) as what
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('objects', 'tables') and p.oid::regprocedure::text !~ 'ranked|percentile|[*]' and obj_description(p.oid, 'pg_proc') is null
    order by 1
  loop
    execute format('comment on %s is %L', r.what, 'Comment on ' || r.what);
  end loop;
end $$;

---------------------------------------------------------------------------------------------------- event triggers, last as they fire from here on

create function objects.on_event() returns event_trigger language plpgsql as $$ begin perform tg_event; end $$;
create event trigger command_start on ddl_command_start execute function objects.on_event();
create event trigger command_end on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function objects.on_event();
create event trigger dropping on sql_drop execute function objects.on_event();
create event trigger "Odd ""event""" on table_rewrite execute function objects.on_event();
create event trigger disabled_event on ddl_command_start execute function objects.on_event();
alter event trigger disabled_event disable;
alter event trigger dropping enable always;
\if :ge17
create event trigger on_login on login execute function objects.on_event();
alter event trigger on_login disable;
\endif
comment on event trigger command_start is 'An event trigger';
