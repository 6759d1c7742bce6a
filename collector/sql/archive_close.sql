-- No more lines of this table.
CLOSE archive
