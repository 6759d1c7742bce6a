-- Who this server is: its data folder and the identifier that initdb gave it.
SELECT current_setting('data_directory'), system_identifier FROM pg_control_system()
