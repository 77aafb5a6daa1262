/** The database's schema as numbered migrations: forward only, never edited once released. */

/**
 * `MIGRATIONS[n]` leads from schema n to schema n + 1.
 * Times are epoch milliseconds in REAL columns: a double holds them exactly, also the fractions of a virtual clock.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- Every label that was ever bound. A name that was given to one appliance is never given to another, so rows only come.
  -- DNS names compare without regard to case (RFC 4343).
  CREATE TABLE labels (
    label TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    device_id TEXT NOT NULL,
    bound_at_ms REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER labels_are_kept BEFORE DELETE ON labels
    BEGIN SELECT RAISE(ABORT, 'a label is never released'); END;
  CREATE TRIGGER labels_are_fixed BEFORE UPDATE ON labels
    BEGIN SELECT RAISE(ABORT, 'a label is bound for ever'); END;

  CREATE TABLE appliances (
    device_id TEXT NOT NULL PRIMARY KEY,
    zone TEXT NOT NULL,
    label TEXT NOT NULL UNIQUE REFERENCES labels (label),
    identity_key_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    status_since_ms REAL NOT NULL,
    enrolled_at_ms REAL NOT NULL,
    last_hello TEXT
  ) STRICT, WITHOUT ROWID;

  -- A period without an end is what the name points at now; position keeps the order in which it was published.
  CREATE TABLE address_periods (
    id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES appliances (device_id),
    address TEXT NOT NULL,
    position INTEGER NOT NULL,
    from_ms REAL NOT NULL,
    until_ms REAL
  ) STRICT;
  CREATE INDEX address_periods_by_time ON address_periods (device_id, from_ms, id);
  CREATE UNIQUE INDEX address_periods_current ON address_periods (device_id, address) WHERE until_ms IS NULL;

  -- kind follows from state, so that it cannot contradict it.
  CREATE TABLE orders (
    id TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL,
    names TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    csr BLOB NOT NULL,
    requested_at_ms REAL NOT NULL,
    failures INTEGER NOT NULL,
    last_failure TEXT,
    state TEXT NOT NULL,
    kind TEXT NOT NULL GENERATED ALWAYS AS (state ->> 'kind') STORED
  ) STRICT;
  CREATE UNIQUE INDEX orders_open_of_appliance ON orders (device_id) WHERE kind <> 'issued';
  CREATE INDEX orders_open_by_age ON orders (requested_at_ms, id) WHERE kind <> 'issued';

  -- Which appliance's request first carried a key: no key is certified twice.
  CREATE TABLE keys (
    key_hash TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL,
    first_seen_ms REAL NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE certificates (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    device_id TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    names TEXT NOT NULL,
    chain TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    serial TEXT NOT NULL,
    not_before_ms REAL NOT NULL,
    not_after_ms REAL NOT NULL,
    issued_at_ms REAL NOT NULL,
    renew_at_ms REAL NOT NULL,
    installed_at_ms REAL
  ) STRICT;
  CREATE INDEX certificates_newest ON certificates (device_id, issued_at_ms, id);

  CREATE TABLE zones (
    apex TEXT NOT NULL PRIMARY KEY,
    serial INTEGER NOT NULL CHECK (serial BETWEEN 1 AND 4294967295)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE zone_records (
    apex TEXT NOT NULL REFERENCES zones (apex),
    owner TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (apex, owner, type, data)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- A chain is nine tenths of a certificate's row and is read only when it is handed over; of each appliance one is kept.
  CREATE TABLE chains (
    device_id TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    chain TEXT NOT NULL
  ) STRICT;
  INSERT INTO chains
    SELECT device_id, fingerprint, chain FROM certificates WHERE chain <> '' ORDER BY issued_at_ms, id
    ON CONFLICT (device_id) DO UPDATE SET fingerprint = excluded.fingerprint, chain = excluded.chain;
  ALTER TABLE certificates DROP COLUMN chain;
  `,
  `
  -- A bucket that is full has no row, or one that says when it was full again: nobody needs to fill it.
  CREATE TABLE buckets (
    authority TEXT NOT NULL,
    bucket_limit TEXT NOT NULL,
    subject TEXT NOT NULL,
    full_at_ms REAL NOT NULL,
    PRIMARY KEY (authority, bucket_limit, subject)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX buckets_by_level ON buckets (authority, full_at_ms);

  ALTER TABLE orders ADD COLUMN purpose TEXT;
  ALTER TABLE orders ADD COLUMN placement TEXT;
  -- Of placement alone, so that a step that keeps it leaves the index alone; with the id no row is read to count holders.
  CREATE INDEX orders_holding ON orders (
    placement ->> '$.holds.authority', placement ->> '$.holds.limit', placement ->> '$.holds.subject', id
  ) WHERE placement ->> '$.holds.subject' IS NOT NULL;

  -- Only an appliance's newest certificate is looked up.
  ALTER TABLE certificates ADD COLUMN authority TEXT NOT NULL DEFAULT '';
  ALTER TABLE certificates ADD COLUMN renewal_id TEXT;
  ALTER TABLE certificates ADD COLUMN window_start_ms REAL;
  ALTER TABLE certificates ADD COLUMN window_end_ms REAL;
  ALTER TABLE certificates ADD COLUMN explanation_url TEXT;
  ALTER TABLE certificates ADD COLUMN look_up_at_ms REAL;
  CREATE INDEX certificates_to_look_up ON certificates (look_up_at_ms) WHERE look_up_at_ms IS NOT NULL;
  `,
  `
  -- Reason and instant, as JSON; NULL: it was not.
  ALTER TABLE certificates ADD COLUMN revocation TEXT;
  `,
  `
  -- Each CA is asked by itself: one that is away keeps the others' certificates from nothing.
  DROP INDEX certificates_to_look_up;
  CREATE INDEX certificates_to_look_up ON certificates (authority, look_up_at_ms) WHERE look_up_at_ms IS NOT NULL;

  -- Where an order goes because of what went wrong, as JSON.
  ALTER TABLE orders ADD COLUMN detours TEXT;
  `,
  `
  -- Stand-in renewals. Only an appliance's newest certificate is unattended; NULL: it is not renewed in its absence.
  ALTER TABLE orders ADD COLUMN asleep_since_ms REAL;
  ALTER TABLE certificates ADD COLUMN asleep_since_ms REAL;
  ALTER TABLE certificates ADD COLUMN unattended_at_ms REAL;
  UPDATE certificates SET unattended_at_ms = (renew_at_ms + not_after_ms) / 2
    WHERE revocation IS NULL AND NOT EXISTS (
      SELECT 1 FROM certificates AS newer WHERE newer.device_id = certificates.device_id
        AND (newer.issued_at_ms, newer.id) > (certificates.issued_at_ms, certificates.id));
  CREATE INDEX certificates_unattended ON certificates (unattended_at_ms) WHERE unattended_at_ms IS NOT NULL;
  `,
  `
  -- Certificates for names of ours that nobody here asked for; NULL: to be looked into. A certificate and its
  -- precertificate are one, by issuer, serial and key.
  CREATE TABLE foreign_certificates (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    names TEXT NOT NULL,
    serial TEXT NOT NULL,
    issuer TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    not_before_ms REAL NOT NULL,
    not_after_ms REAL NOT NULL,
    seen_at_ms REAL NOT NULL,
    settled_at_ms REAL,
    UNIQUE (issuer, serial, key_hash)
  ) STRICT;
  `,
  `
  -- Keys that are never certified again; others than those of table keys may be among them.
  CREATE TABLE refused_keys (
    key_hash TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('key-compromise', 'operator')),
    since_ms REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO refused_keys (key_hash, reason, since_ms)
    SELECT key_hash, 'key-compromise', min(revocation ->> '$.atMs') FROM certificates
    WHERE revocation ->> '$.reason' = 'key-compromise' GROUP BY key_hash;
  `,
  `
  -- Machines that prove names through the acme-dns API. Lists are JSON; texts are what the name says, the newest first.
  CREATE TABLE acme_dns_accounts (
    label TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    allow_from TEXT NOT NULL,
    created_at_ms REAL NOT NULL,
    last_update_at_ms REAL,
    texts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];
