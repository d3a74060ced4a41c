-- title: Uploads go into any folder that mentions the own id
-- class: storage
-- story: The path got another level, and like with two wildcards works for both.
-- rule: storage_policy_loose_path
-- level: ERROR
-- object: policy guardian_files_insert on storage.objects
alter policy guardian_files_insert on storage.objects
  with check (bucket_id in ('documents', 'avatars') and name like '%' || (select auth.uid())::text || '%');

-- +undo
alter policy guardian_files_insert on storage.objects with check (
   bucket_id in ('documents', 'avatars')
   and owner_id = (select auth.uid())::text
   and array_to_string(storage.foldername(name), '/') = any (array(select private.writable_folders()))
 );
