-- The latest orders that missed a standard, or still may, however rarely it is missed.
CREATE INDEX records_missed_first_contact ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["first_contact"]}' OR standing @> '{"dues": [["first_contact"]]}';
CREATE INDEX records_missed_case_meeting ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["case_meeting"]}' OR standing @> '{"dues": [["case_meeting"]]}';
CREATE INDEX records_missed_plan ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["plan"]}' OR standing @> '{"dues": [["plan"]]}';
CREATE INDEX records_missed_officer ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["officer"]}' OR standing @> '{"dues": [["officer"]]}';
CREATE INDEX records_missed_review ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["review"]}' OR standing @> '{"dues": [["review"]]}';
CREATE INDEX records_missed_breach ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["breach"]}' OR standing @> '{"dues": [["breach"]]}';
CREATE INDEX records_missed_transfer ON records (authority, imposed_on, subject)
    WHERE standing @> '{"late": ["transfer"]}' OR standing @> '{"dues": [["transfer"]]}';
