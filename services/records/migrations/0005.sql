-- Orders by a standard that they missed, however rarely it is missed.
CREATE INDEX records_late ON records USING gin ((standing -> 'late') jsonb_path_ops) WHERE standing ? 'late';
