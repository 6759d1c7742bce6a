SELECT number, name, checksum FROM store.migration ORDER BY number
