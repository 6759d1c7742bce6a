-- Drops samples and profiles older than $1 months. → how many months went
SELECT store.drop_old($1::integer)
