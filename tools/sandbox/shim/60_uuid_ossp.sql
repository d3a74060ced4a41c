-- Stand-ins for uuid-ossp with the same signatures. Run only where the extension is missing.
create or replace function extensions.uuid_nil() returns uuid
language sql immutable parallel safe as $$ select '00000000-0000-0000-0000-000000000000'::uuid $$;

create or replace function extensions.uuid_ns_dns() returns uuid
language sql immutable parallel safe as $$ select '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

create or replace function extensions.uuid_ns_url() returns uuid
language sql immutable parallel safe as $$ select '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

create or replace function extensions.uuid_ns_oid() returns uuid
language sql immutable parallel safe as $$ select '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

create or replace function extensions.uuid_ns_x500() returns uuid
language sql immutable parallel safe as $$ select '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

create or replace function extensions.uuid_generate_v4() returns uuid
language sql volatile parallel safe as $$ select pg_catalog.gen_random_uuid() $$;

-- 60-bit count of 100 ns steps since 1582-10-15, a random clock sequence and a random node with the multicast bit.
create or replace function extensions.uuid_generate_v1mc() returns uuid
language sql volatile as $$
  with parts as (
    select
      lpad(to_hex((extract(epoch from clock_timestamp()) * 10000000)::bigint + 122192928000000000), 16, '0') as ticks,
      replace(gen_random_uuid()::text, '-', '') as noise
  )
  select (
    substr(ticks, 9, 8) || substr(ticks, 5, 4) || '1' || substr(ticks, 2, 3)
    || '8' || substr(noise, 1, 3) || '03' || substr(noise, 20, 10)
  )::uuid
  from parts
$$;

create or replace function extensions.uuid_generate_v1() returns uuid
language sql volatile as $$ select extensions.uuid_generate_v1mc() $$;

create or replace function extensions.uuid_generate_v3(namespace uuid, name text) returns uuid
language sql immutable parallel safe as $$
  select encode(
    set_byte(set_byte(digest, 6, (get_byte(digest, 6) & 15) | 48), 8, (get_byte(digest, 8) & 63) | 128), 'hex'
  )::uuid
  from (select decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex')) as hashed (digest)
$$;

-- SHA-1 comes from pgcrypto, which this project always has in the extensions schema.
create or replace function extensions.uuid_generate_v5(namespace uuid, name text) returns uuid
language sql immutable parallel safe as $$
  select encode(
    set_byte(set_byte(digest, 6, (get_byte(digest, 6) & 15) | 80), 8, (get_byte(digest, 8) & 63) | 128), 'hex'
  )::uuid
  from (
    select substring(extensions.digest(uuid_send(namespace) || convert_to(name, 'UTF8'), 'sha1') for 16)
  ) as hashed (digest)
$$;
