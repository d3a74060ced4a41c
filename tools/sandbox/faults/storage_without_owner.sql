-- title: Every exported record can be downloaded by every member
-- class: storage
-- story: A download link for exports did not work for delegates; the folder condition was removed for that bucket.
-- rule: storage_policy_without_owner
-- level: ERROR
-- object: policy guardian_files_select on storage.objects
alter policy guardian_files_select on storage.objects using (
   (
     bucket_id in ('documents', 'avatars')
     and array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders()))
   )
   or bucket_id = 'exports'
 );

-- +undo
alter policy guardian_files_select on storage.objects using (
   (
     bucket_id in ('documents', 'avatars')
     and array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders()))
   )
   or (
     bucket_id = 'exports'
     and array_to_string(storage.foldername(name), '/') = any (array(select private.managed_folders()))
   )
 );
