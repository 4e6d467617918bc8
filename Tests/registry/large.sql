-- 10,000 scores of as many models in 100 runs, with 5 million metrics, into a registry that a stage has made.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n;
CREATE TEMP TABLE steps AS WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 100) SELECT i FROM s;
CREATE TEMP TABLE names(key TEXT);
INSERT INTO names
  VALUES ('train.loss'), ('train.rate'), ('train.tokens_per_second'), ('valid.loss'), ('valid.cosine');
BEGIN;
INSERT INTO runs (id, name, stage, spec, status, key_hash, config, argv, version, threads, blas, cpu, host, pid, boot_id,
    started, heartbeat, ended, exit_code, wall_seconds, cpu_seconds, peak_rss_bytes, folder)
  SELECT 100 + i, 'many' || (i % 100), 'score', 'alr-h' || i || '.encoder', 'finished', printf('%064x', i),
    json_object('x', hex(zeroblob(700))), json_array('score', hex(zeroblob(200))), '0.1.0.1', 2, 'b', 'c', 'h', 1, 'b',
    '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:10.000Z', '2025-01-01T00:00:10.000Z', 0, 10, 20, 1000000,
    'many' || (i % 100) || '/score/' || i
  FROM n;
INSERT INTO params
  SELECT 100 + i, key, value FROM n, (SELECT 'search' AS key, 'greedy' AS value UNION SELECT 'replaced', '6'
    UNION SELECT 'parameters', '1000000' UNION SELECT 'a' || i, 'x' FROM steps WHERE i <= 30);
INSERT INTO scores (run, metric, test_set, score, signature, confidence)
  SELECT 100 + i, m.key, 'test', (i * 7919 % 5000) / 100.0, 'sig', 1
  FROM n, (SELECT 'BLEU' AS key UNION SELECT 'chrF2') m;
INSERT INTO artifacts SELECT printf('%064x', (1 << 40) + i), 1000000, 'score' FROM n;
INSERT INTO artifact_paths
  SELECT 'many' || (i % 100) || '/score/' || i, printf('%064x', (1 << 40) + i), '2025-01-01T00:00:10.000Z', NULL FROM n;
INSERT INTO run_io SELECT 100 + i, 'out', 'score', printf('%064x', (1 << 40) + i) FROM n;
INSERT INTO run_io SELECT 100 + i, 'in', 'base', printf('%064x', (1 << 40) + i % 100 + 1) FROM n WHERE i > 100;
INSERT INTO significance
  SELECT 100 + i, 100 + i % 100 + 1, 'BLEU', 'test', 'bootstrap', 1000, 1, 0.01 FROM n WHERE i > 100;
INSERT INTO metrics
  SELECT 100 + n.i, names.key, steps.i, steps.i * 0.01, '2025-01-01T00:00:05.000Z' FROM n, names, steps;
INSERT INTO metrics SELECT 100 + i, 'tokens_per_second', 0, 1000, '2025-01-01T00:00:05.000Z' FROM n;
COMMIT;
