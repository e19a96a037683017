-- What the design says about cells, as queries over the log's own JSON. Nothing here is shared with the services but the list of closed days.
-- Given: messages (value), one for each accepted event of an authority, closed (day), and overfull (subject): orders that count nothing.

CREATE MACRO month(day) AS CAST(date_trunc('month', day) AS DATE);

-- The moment an event names, in microseconds rounded half up; a leap second is the last of them before midnight.
CREATE MACRO moment(written) AS
  epoch_us(CAST(regexp_replace(replace(upper(written), ':60', ':59'), '\.[0-9]+', '') AS TIMESTAMPTZ))
  + CASE WHEN upper(written) SIMILAR TO '.{16}:60.*' THEN 999999
    ELSE (CAST(left(rpad(regexp_extract(written, '\.([0-9]+)', 1), 7, '0'), 7) AS BIGINT) + 5) // 10 END;

-- Statements: each is about one fact of one order, and the latest holds.

CREATE MACRO fact_of(name, data) AS CASE name
  WHEN 'fact.withdrawn' THEN data ->> '$.fact'
  WHEN 'order.imposed' THEN 'imposed'
  WHEN 'order.received' THEN 'received'
  WHEN 'transfer.received' THEN 'transferred_in'
  WHEN 'order.ended' THEN 'ended'
  WHEN 'contact.made' THEN 'first_contact'
  WHEN 'case-meeting.held' THEN 'case_meeting'
  WHEN 'plan.agreed' THEN 'plan'
  WHEN 'induction.held' THEN 'induction'
  WHEN 'placement.started' THEN 'placement'
  WHEN 'work.completed' THEN 'work_completed'
  WHEN 'requirement.varied' THEN 'variation/' || (data ->> '$.ref')
  WHEN 'breach.decided' THEN 'breach_decision/' || (data ->> '$.ref')
  WHEN 'session.recorded' THEN 'session/' || (data ->> '$.ref')
  WHEN 'hours.adjusted' THEN 'adjustment/' || (data ->> '$.ref')
END;

CREATE TABLE stated AS
SELECT *, fact_of(name, data) AS fact
FROM (
  SELECT
    value ->> '$.subject' AS subject,
    regexp_extract(value ->> '$.type', '^scot\.payback\.(.+)\.v[0-9]+$', 1) AS name,
    moment(value ->> '$.time') AS time,
    coalesce(CAST(value ->> '$.sequence' AS BIGINT), 0) AS number,
    value ->> '$.id' AS id,
    value -> '$.data' AS data
  FROM (SELECT CAST(value AS JSON) AS value FROM messages)
)
WHERE fact IS NOT NULL;

-- Orders with two statements of the same rank that differ: which one holds is not for these queries to say.
CREATE TABLE unsure AS
SELECT DISTINCT subject FROM stated GROUP BY subject, fact, time, number, id HAVING count(DISTINCT name || data) > 1;

CREATE TABLE facts AS
SELECT * FROM (
  SELECT * FROM stated QUALIFY row_number() OVER (PARTITION BY subject, fact ORDER BY time DESC, number DESC, id DESC) = 1
)
WHERE name <> 'fact.withdrawn'
  AND subject NOT IN (SELECT subject FROM stated WHERE fact = 'order')
  AND subject NOT IN (SELECT subject FROM overfull)
  AND subject NOT IN (SELECT subject FROM unsure);

-- Orders, with what their imposition asked for.

CREATE TABLE requirements AS
SELECT subject, requirement ->> '$.kind' AS kind, requirement AS data
FROM (SELECT subject, unnest(CAST(data -> '$.requirements' AS JSON[])) AS requirement FROM facts WHERE fact = 'imposed');

CREATE TABLE orders AS
SELECT
  i.subject, i.data, CAST(i.data ->> '$.imposed_on' AS DATE) AS imposed_on,
  CAST(e.data ->> '$.ended_on' AS DATE) AS ended_on, e.data ->> '$.reason' AS end_reason,
  t.subject IS NOT NULL AS transferred_in,
  transferred_in OR CAST(i.data ->> '$.outside_jurisdiction' AS BOOLEAN) AS from_elsewhere,
  greatest(
    imposed_on,
    CASE WHEN from_elsewhere THEN CAST(coalesce(t.data ->> '$.received_on', r.data ->> '$.received_on') AS DATE) END
  ) AS begun_on,
  w.subject IS NOT NULL AS has_work, CAST(w.data ->> '$.hours' AS INTEGER) AS hours,
  CASE WHEN hours <= 100 THEN 1 ELSE 2 END AS level,
  CAST(w.data ->> '$.complete_by' AS DATE) AS complete_by,
  s.subject IS NOT NULL AS has_supervision, CAST(s.data ->> '$.months' AS INTEGER) AS months,
  CAST(i.data ->> '$.age_at_imposition' AS INTEGER) AS age,
  CASE WHEN age <= 17 THEN '16_17' WHEN age <= 20 THEN '18_20' WHEN age <= 25 THEN '21_25' WHEN age <= 30 THEN '26_30'
    WHEN age <= 40 THEN '31_40' ELSE 'over_40' END AS age_band
FROM facts i
LEFT JOIN facts e ON e.subject = i.subject AND e.fact = 'ended'
LEFT JOIN facts t ON t.subject = i.subject AND t.fact = 'transferred_in'
LEFT JOIN facts r ON r.subject = i.subject AND r.fact = 'received'
LEFT JOIN requirements w ON w.subject = i.subject AND w.kind = 'unpaid_work'
LEFT JOIN requirements s ON s.subject = i.subject AND s.kind = 'supervision'
WHERE i.fact = 'imposed';

CREATE VIEW cells_of_imposition AS
WITH mine AS (SELECT *, month(imposed_on) AS month FROM orders WHERE NOT transferred_in)
SELECT 'orders_imposed' AS measure, month AS period, unnest([
    '', 'sex=' || (data ->> '$.sex'), 'age_band=' || age_band, 'ethnicity=' || (data ->> '$.ethnicity'),
    'employment=' || (data ->> '$.employment'), 'court_type=' || (data ->> '$.court_type'),
    CASE WHEN CAST(data ->> '$.fine_default' AS BOOLEAN) THEN 'fine_default=true' END,
    CASE WHEN CAST(data ->> '$.progress_review_ordered' AS BOOLEAN) THEN 'progress_review=true' END,
    CASE WHEN has_work THEN 'level=' || level END
  ]) AS category, 1 AS number FROM mine
UNION ALL SELECT 'requirements_imposed', month, 'requirement=' || kind, 1 FROM mine JOIN requirements USING (subject)
UNION ALL SELECT 'unpaid_work_minutes_imposed', month, unnest(['', 'level=' || level]), hours * 60 FROM mine WHERE has_work
UNION ALL SELECT 'supervision_months_imposed', month, unnest(['', 'length_band=' || CASE
    WHEN months <= 6 THEN 'to_6' WHEN months <= 12 THEN 'to_12' WHEN months <= 18 THEN 'to_18' WHEN months <= 24 THEN 'to_24'
    ELSE 'to_36' END]), months FROM mine WHERE has_supervision
UNION ALL SELECT 'orders_opened', month(imposed_on), '', 1 FROM orders;

CREATE VIEW cells_of_ends AS
WITH mine AS (SELECT *, month(ended_on) AS month FROM orders WHERE ended_on IS NOT NULL)
SELECT 'orders_closed' AS measure, month AS period, '' AS category, 1 AS number FROM mine
UNION ALL SELECT 'orders_ended', month,
  unnest(['', 'end_reason=' || end_reason, 'age_band=' || age_band, 'sex=' || (data ->> '$.sex')]), 1 FROM mine
UNION ALL SELECT 'orders_ended', month, 'requirement=' || kind, 1 FROM mine JOIN requirements USING (subject)
UNION ALL SELECT 'breach_outcomes', month(CAST(f.data ->> '$.decided_on' AS DATE)), 'breach_outcome=' || (f.data ->> '$.outcome'), 1
  FROM facts f JOIN orders USING (subject) WHERE f.fact LIKE 'breach\_decision/%' ESCAPE '\';

-- Working days: how many there were up to the end of each day, and which day was the nth.

CREATE TABLE calendar AS
SELECT day, open, sum(open) OVER (ORDER BY day) AS nth
FROM (
  SELECT day, CAST(isodow(day) <= 5 AND day NOT IN (SELECT day FROM closed) AS INTEGER) AS open
  FROM (SELECT CAST(unnest(generate_series(DATE '1999-01-01', DATE '2102-12-31', INTERVAL 1 DAY)) AS DATE) AS day)
);

-- Clocks that start with the imposition, and sort what stopped them into bands. The plan of an order from elsewhere is due from its receipt.

CREATE TABLE clocks AS
SELECT
  o.*, standard, CAST(f.data ->> d.field AS DATE) AS done_on, f.data ->> '$.late_reason' AS reason,
  CASE WHEN standard = 'plan' THEN begun_on ELSE imposed_on END AS starts_on, working_days
FROM orders o
JOIN (VALUES ('first_contact', '$.made_on', 1), ('case_meeting', '$.held_on', 5), ('plan', '$.agreed_on', 20),
  ('induction', '$.held_on', 5), ('placement', '$.started_on', 7)) d (standard, field, working_days)
  ON CASE WHEN standard IN ('case_meeting', 'plan') THEN has_supervision WHEN standard = 'first_contact' THEN true ELSE has_work END
LEFT JOIN facts f ON f.subject = o.subject AND f.fact = standard;

CREATE TABLE read_clocks AS
SELECT
  c.*, month(imposed_on) AS month, due.day AS due_on, ending.nth - beginning.nth AS took,
  CASE
    WHEN standard = 'first_contact' THEN CASE WHEN took <= 1 THEN 'within_1' WHEN took <= 5 THEN '2_to_5' ELSE 'over_5' END
    WHEN standard = 'plan' THEN CASE WHEN took <= 20 THEN 'within_20' ELSE 'over_20' END
    WHEN standard IN ('case_meeting', 'induction') THEN
      CASE WHEN took <= 5 THEN 'within_5' WHEN took <= 10 THEN '6_to_10' ELSE 'over_10' END
    WHEN took <= 7 THEN 'within_7'
    WHEN done_on <= imposed_on + 21 THEN 'to_3_weeks'
    WHEN done_on <= imposed_on + INTERVAL 1 MONTH THEN 'to_1_month'
    WHEN done_on <= imposed_on + INTERVAL 2 MONTH THEN 'to_2_months'
    ELSE 'over_2_months'
  END AS band,
  CASE
    WHEN from_elsewhere THEN 'not_applicable'
    WHEN done_on IS NULL AND ended_on IS NULL THEN NULL
    WHEN done_on IS NULL THEN CASE WHEN ended_on <= due_on THEN 'not_applicable' ELSE 'missed' END
    WHEN reason IN ('could_not_comply', 'transferred_in') THEN 'not_applicable'
    WHEN done_on < imposed_on THEN NULL
    ELSE 'band=' || band
  END AS category
FROM clocks c
JOIN calendar beginning ON beginning.day = starts_on
JOIN calendar due ON due.open = 1 AND due.nth = beginning.nth + working_days
LEFT JOIN calendar ending ON ending.day = done_on;

CREATE VIEW cells_of_clocks AS
SELECT standard AS measure, month AS period, category, 1 AS number FROM read_clocks
UNION ALL SELECT standard, month, 'reason=' || reason, 1 FROM read_clocks WHERE category LIKE 'band=%' AND band NOT LIKE 'within%'
UNION ALL SELECT 'pending_' || standard, due_on, '', 1 FROM read_clocks
  WHERE done_on IS NULL AND ended_on IS NULL AND (standard = 'plan' OR NOT from_elsewhere);

-- Completion of unpaid work: within the legal period, within the court's later date, or late. In the epidemic the law gave twelve months
-- to what began, and twelve more to what was open when it came into force.

CREATE TABLE variations AS
SELECT subject, CAST(data ->> '$.varied_on' AS DATE) AS varied_on, data ->> '$.ref' AS ref,
  CASE WHEN data ->> '$.change' = 'removed' THEN 0 ELSE CAST(data ->> '$.hours' AS INTEGER) END AS hours,
  CAST(data ->> '$.complete_by' AS DATE) AS complete_by
FROM facts WHERE name = 'requirement.varied' AND data ->> '$.kind' = 'unpaid_work';

CREATE MACRO more_time(due, since, closed_on) AS CASE
  WHEN since < DATE '2020-04-07' AND coalesce(closed_on >= DATE '2020-04-07', true) THEN due + INTERVAL 12 MONTH ELSE due
END;

CREATE TABLE completions AS
WITH working AS (
  SELECT o.*, CAST(f.data ->> '$.completed_on' AS DATE) AS done_on, f.data ->> '$.late_reason' AS reason,
    least(done_on, ended_on) AS closed_on,
    CASE WHEN begun_on BETWEEN DATE '2020-04-07' AND DATE '2022-09-30' THEN 12 WHEN level = 1 THEN 3 ELSE 6 END AS legal_months,
    CAST(more_time(begun_on + to_months(legal_months), begun_on, closed_on) AS DATE) AS legal
  FROM orders o LEFT JOIN facts f ON f.subject = o.subject AND f.fact = 'work_completed' WHERE has_work
),
court AS (
  SELECT subject, max(CAST(more_time(c.complete_by, c.set_on, closed_on) AS DATE)) AS court
  FROM (SELECT subject, imposed_on AS set_on, complete_by FROM orders
    UNION ALL SELECT subject, varied_on, complete_by FROM variations) c JOIN working USING (subject)
  WHERE c.complete_by IS NOT NULL GROUP BY subject
)
SELECT *, greatest(legal, court) AS due_on,
  CASE WHEN done_on <= legal THEN 'within_period' WHEN done_on <= due_on THEN 'within_court_date' ELSE 'late' END AS class
FROM working LEFT JOIN court USING (subject);

CREATE VIEW cells_of_completion AS
WITH done AS (
  SELECT *, month(done_on) AS month, done_on - imposed_on AS days
  FROM completions WHERE done_on >= imposed_on AND NOT from_elsewhere
)
SELECT 'unpaid_work_completed' AS measure, month AS period, unnest(['class=' || class, 'level=' || level, 'days_band=' || CASE
    WHEN days <= 91 THEN 'to_3_months' WHEN days <= 183 THEN 'to_6_months' WHEN days <= 274 THEN 'to_9_months'
    WHEN days <= 365 THEN 'to_12_months' ELSE 'over_12_months' END,
    CASE WHEN class = 'late' THEN 'reason=' || reason END]) AS category, 1 AS number FROM done
UNION ALL SELECT 'unpaid_work_days', month, unnest(['', 'level=' || level]), days FROM done
UNION ALL SELECT 'unpaid_work_completed', month(imposed_on), CASE
    WHEN from_elsewhere OR ended_on <= due_on THEN 'not_applicable' WHEN ended_on > due_on THEN 'missed' END, 1
  FROM completions WHERE from_elsewhere OR done_on IS NULL
UNION ALL SELECT 'pending_completion', due_on, '', 1 FROM completions WHERE done_on IS NULL AND ended_on IS NULL;

-- Credit: counted whether or not the order was imposed; what is outstanding only where hours were ordered.

CREATE TABLE credit AS
SELECT subject, name = 'hours.adjusted' AS adjusted, data,
  month(CAST(coalesce(data ->> '$.session_on', data ->> '$.adjusted_on') AS DATE)) AS month,
  CAST(coalesce(data ->> '$.minutes_credited', data ->> '$.minutes') AS BIGINT) AS minutes
FROM facts WHERE name IN ('session.recorded', 'hours.adjusted');

CREATE TABLE ordered AS
SELECT subject, day, (hours - lag(hours, 1, 0) OVER (PARTITION BY subject ORDER BY step, day, ref)) * 60 AS minutes
FROM (
  SELECT subject, 0 AS step, imposed_on AS day, '' AS ref, hours FROM orders WHERE has_work
  UNION ALL SELECT subject, 1, varied_on, ref, v.hours FROM variations v JOIN orders USING (subject) WHERE v.hours IS NOT NULL
)
QUALIFY bool_or(hours <> 0) OVER (PARTITION BY subject);

CREATE VIEW cells_of_credit AS
WITH left_at_end AS (
  SELECT subject, month(ended_on) AS month FROM orders WHERE ended_on IS NOT NULL AND subject IN (SELECT subject FROM ordered)
)
SELECT 'sessions' AS measure, month AS period, unnest(['', 'attendance=' || (data ->> '$.attendance')]) AS category, 1 AS number
  FROM credit WHERE NOT adjusted
UNION ALL SELECT 'minutes_credited', month, unnest(['', 'activity=' || (data ->> '$.activity'), 'work_type=' || (data ->> '$.work_type')]),
  minutes FROM credit WHERE NOT adjusted
UNION ALL SELECT 'minutes_credited', month, unnest(['', 'activity=adjustment']), minutes FROM credit WHERE adjusted
UNION ALL SELECT 'minutes_outstanding_opened', month(day), '', minutes FROM ordered
UNION ALL SELECT 'minutes_outstanding_closed', e.month, '', minutes FROM ordered JOIN left_at_end e USING (subject)
UNION ALL SELECT 'minutes_outstanding_closed', e.month, '', -minutes FROM credit JOIN left_at_end e USING (subject)
UNION ALL SELECT 'minutes_outstanding_closed', c.month, '', minutes FROM credit c WHERE subject IN (SELECT subject FROM ordered);

CREATE VIEW cells AS
SELECT measure, period, category, CAST(sum(number) AS BIGINT) AS number
FROM (
  SELECT * FROM cells_of_imposition UNION ALL SELECT * FROM cells_of_ends UNION ALL SELECT * FROM cells_of_clocks
  UNION ALL SELECT * FROM cells_of_completion UNION ALL SELECT * FROM cells_of_credit
)
WHERE category IS NOT NULL GROUP BY ALL HAVING sum(number) <> 0;
