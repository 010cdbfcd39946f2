-- Executions of logs with a lifecycle: where they began in the file, and how long they were suspended.
ALTER TABLE events ADD COLUMN start_row BIGINT;
ALTER TABLE events ADD COLUMN paused_us BIGINT DEFAULT 0;

-- An execution made of live events completes the one of the import that was still running in this row.
ALTER TABLE events ADD COLUMN replaces BIGINT;

-- An import that was undone stays, so that it can be taken again at once, until it is removed for good.
ALTER TABLE uploads ADD COLUMN undone BOOLEAN DEFAULT false;

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
    attributes VARCHAR,                -- JSON
    recorded_us BIGINT NOT NULL,       -- when it was acknowledged
    superseded_us BIGINT,              -- when a correction replaced it
    PRIMARY KEY (source, event_id)
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
    last_activities VARCHAR[] NOT NULL -- up to three, in order of completion
);

-- Snapshots that twins were built from, beside the file as Parquet named by their content's hash.
CREATE TABLE snapshots (
    content_hash VARCHAR PRIMARY KEY,
    log VARCHAR NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    file VARCHAR NOT NULL,
    cases BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Closed cases that were moved out to Parquet because of their age.
CREATE TABLE archives (
    log VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    before TIMESTAMPTZ NOT NULL,
    cases BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
