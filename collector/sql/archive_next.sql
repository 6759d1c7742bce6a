-- The next lines.
FETCH FORWARD 200 FROM archive
