-- What backtests found: of policies, of scenarios, of forecasts.
CREATE SEQUENCE backtest_ids;
CREATE TABLE backtests (
    id INTEGER NOT NULL DEFAULT nextval('backtest_ids'),
    kind VARCHAR NOT NULL,             -- policies, scenario, forecasts
    twin VARCHAR NOT NULL,             -- as it was named
    version INTEGER,                   -- of a twin of the database; NULL: a file, or built on the way
    twin_hash VARCHAR NOT NULL,        -- SHA-256 of the twin's text; '': built on the way
    log VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,     -- of the snapshot of the log, which is kept
    asked VARCHAR NOT NULL,            -- JSON: the options
    report VARCHAR NOT NULL,           -- JSON: the result
    made_at TIMESTAMPTZ NOT NULL
);
