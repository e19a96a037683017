-- Receivers of an authority that are sent its refusals and findings as they come and go, and how far each has got.
CREATE TABLE webhooks (
    webhook TEXT NOT NULL,
    authority TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    former TEXT,
    former_until TIMESTAMP WITH TIME ZONE,
    by TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    generation INTEGER NOT NULL,
    version BIGINT NOT NULL,
    number INTEGER NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE,
    fault TEXT,
    stopped_at TIMESTAMP WITH TIME ZONE,
    lease BIGINT NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (webhook)
);
CREATE INDEX webhooks_authority ON webhooks (authority, at);
COMMENT ON TABLE webhooks IS 'Who is sent what changes of an authority''s refusals and findings, and how far each has got. Secrets are sealed.';
