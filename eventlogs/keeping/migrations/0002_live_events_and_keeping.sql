-- Executions of logs with a lifecycle: where they began in the file, and how long they were suspended.
ALTER TABLE events ADD COLUMN start_row BIGINT;
ALTER TABLE events ADD COLUMN paused_us BIGINT DEFAULT 0;
ALTER TABLE events ADD COLUMN pauses BIGINT[];  -- instants of suspending and resuming in turn

-- An execution of an import that was still running and that live events completed: theirs counts instead.
ALTER TABLE events ADD COLUMN replaced BOOLEAN DEFAULT false;

-- Order among executions of the same times, before `row`; that of the completing event for live ones.
ALTER TABLE events ADD COLUMN sequence BIGINT DEFAULT 0;

-- The executions made of a log's live events have a row of their own here, of kind 'live', which is never
-- superseded and counts beside the import that is current.
ALTER TABLE uploads ADD COLUMN kind VARCHAR DEFAULT 'import';

-- Every time an import became what its log's name means; the newest one that is not undone tells the current
-- import. An import that was undone stays, so that it can be taken again at once, until it is dropped for good.
CREATE SEQUENCE taking_ids;
CREATE TABLE takings (
    id INTEGER NOT NULL DEFAULT nextval('taking_ids'),
    log VARCHAR NOT NULL,
    upload_id INTEGER NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    undone BOOLEAN NOT NULL
);
INSERT INTO takings (log, upload_id, taken_at, undone)
    SELECT log, id, imported_at, false FROM uploads ORDER BY superseded DESC, id;

-- Rows that were set aside, as somebody mended them: laid over the file when it is taken again.
ALTER TABLE uploads ADD COLUMN original_hash VARCHAR;  -- of the file alone; NULL where nothing was mended
ALTER TABLE uploads ADD COLUMN deleted_from BOOLEAN DEFAULT false;  -- its file holds what was deleted here or moved out
CREATE TABLE fixes (
    upload_id INTEGER NOT NULL,
    row BIGINT NOT NULL,
    raw VARCHAR NOT NULL               -- JSON of the row as it was mended
);

-- Events as they arrived, one row each; executions in `events` are made of them, case by case.
CREATE TABLE live_events (
    source VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    log VARCHAR NOT NULL,
    case_id VARCHAR NOT NULL,
    activity VARCHAR,
    transition VARCHAR,                -- start, complete, suspend, resume, …; NULL: an instant, or an ETA alone
    resource VARCHAR,
    instance VARCHAR,
    at_us BIGINT NOT NULL,             -- when it happened
    sequence BIGINT NOT NULL,          -- order among events of one instant
    eta_us BIGINT,                     -- expected completion of the activity
    attributes VARCHAR,                -- JSON of texts by name
    corrects VARCHAR,                  -- id of the event of the same source that this one replaces
    arrival BIGINT NOT NULL,           -- order of acknowledgement
    recorded_us BIGINT NOT NULL,       -- when it was acknowledged
    superseded_us BIGINT,              -- when a correction replaced it
    covered VARCHAR,                   -- why it makes no execution: 'import' or 'repeat'
    PRIMARY KEY (source, event_id)
);

-- Case attributes told by live events, each from its instant on.
CREATE TABLE live_attributes (
    log VARCHAR NOT NULL,
    case_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    since_us BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    arrival BIGINT NOT NULL
);

-- What could not be applied; it blocks nobody.
CREATE TABLE live_quarantine (
    inbox_id BIGINT NOT NULL,
    log VARCHAR,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL,
    recorded_us BIGINT NOT NULL
);

-- The last row of the inbox whose effect is in this file.
CREATE TABLE inbox_position (inbox VARCHAR NOT NULL, position BIGINT NOT NULL);

-- Where each case stands after its last event, kept so that the open ones are found without reading the log.
CREATE TABLE case_state (
    log VARCHAR NOT NULL,
    case_id VARCHAR NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    running INTEGER NOT NULL,
    ending INTEGER NOT NULL,           -- its last activities, by their number in `endings`
    at_hand BOOLEAN NOT NULL           -- what is known of it stands in the two tables below too
);

-- Copies of what is known of cases that may be open, so that it is found without reading the log.
CREATE TABLE open_executions (
    log VARCHAR NOT NULL,
    case_id VARCHAR NOT NULL,
    activity VARCHAR NOT NULL,
    resource VARCHAR,
    start_us BIGINT NOT NULL,
    end_us BIGINT,
    paused_us BIGINT,
    pauses BIGINT[],
    sequence BIGINT NOT NULL,
    row BIGINT NOT NULL
);
CREATE TABLE open_attributes (
    log VARCHAR NOT NULL,
    case_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    since_us BIGINT,                   -- NULL: the import's
    sequence BIGINT,
    arrival BIGINT
);

-- Up to three activities that were the last of some case, in order of completion.
CREATE SEQUENCE ending_ids;
CREATE TABLE endings (id INTEGER DEFAULT nextval('ending_ids'), activities VARCHAR[] NOT NULL);

-- The closing rule last fitted to a log, or given for it, and how many cases it had then.
CREATE TABLE closing_rules (
    log VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    cases BIGINT NOT NULL,
    fitted BOOLEAN NOT NULL
);

-- What a log's name means: the executions of its current import and of its live events, none counted twice.
CREATE VIEW log_executions AS
SELECT u.log, u.kind = 'live' AS live, e.upload_id, e.row, e.sequence, e.case_id, e.activity, e.resource,
    e.start_us, e.end_us, e.paused_us, e.pauses, e.attributes, e.start_row
FROM events e
JOIN uploads u ON u.id = e.upload_id
WHERE NOT u.superseded AND NOT e.replaced;

-- The case attributes of a log: the import's, unless live events told a later value.
CREATE VIEW log_attributes AS
SELECT u.log, a.case_id, a.name, a.value
FROM case_attributes a
JOIN uploads u ON u.id = a.upload_id AND NOT u.superseded
ANTI JOIN live_attributes t ON t.log = u.log AND t.case_id = a.case_id AND t.name = a.name
UNION ALL
SELECT log, case_id, name, arg_max(value, (since_us, sequence, arrival))
FROM live_attributes GROUP BY log, case_id, name;

-- Snapshots that twins were built from, beside the file as Parquet named by their content's hash.
CREATE TABLE snapshots (
    content_hash VARCHAR NOT NULL,
    log VARCHAR NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    cases BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    report VARCHAR NOT NULL,           -- JSON of the ImportReport
    open_rule VARCHAR NOT NULL,        -- how open cases were told, in words
    created_at TIMESTAMPTZ NOT NULL,
    replaced_by VARCHAR                -- the snapshot that a deletion on request made of this one; '': none
);

-- Closed cases that were moved out to Parquet because of their age.
CREATE TABLE archives (
    log VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    before TIMESTAMPTZ NOT NULL,
    cases BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- What was deleted on request and when, without saying who or what it was.
CREATE TABLE deletions (
    kind VARCHAR NOT NULL,             -- case or person
    number INTEGER NOT NULL,           -- the N of `deleted person N`
    deleted_at TIMESTAMPTZ NOT NULL,
    counts VARCHAR NOT NULL,           -- JSON: where -> how many
    erased BOOLEAN NOT NULL            -- the file was rewritten since, so that the bytes are gone too
);
