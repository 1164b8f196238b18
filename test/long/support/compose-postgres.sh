#!/bin/sh
# What the image of PostgreSQL does when it starts: a new cluster by the variables, then the server as another user than root.
set -e
data=/var/lib/postgresql/data
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
mkdir -p /tmp /var/run/postgresql $data
chown 65534:65534 /var/run/postgresql $data
if [ ! -s $data/PG_VERSION ]; then
  cp "$POSTGRES_PASSWORD_FILE" /tmp/password
  chmod 644 /tmp/password
  $nobody initdb -D $data -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \
    --locale=C --encoding=UTF8 --no-sync
  echo "listen_addresses='*'" >> $data/postgresql.conf
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  echo "create database $POSTGRES_DB" | $nobody postgres --single -D $data postgres
fi
exec $nobody postgres -D $data
