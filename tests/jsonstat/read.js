// Reads a JSON-stat document and prints its label and its cells as the toolkit has them, as JSON.
import { readFileSync } from 'node:fs';
import JSONstat from 'jsonstat-toolkit';

const dataset = JSONstat(JSON.parse(readFileSync(process.argv[2], 'utf8')));
const cells = dataset.toTable({ type: 'arrobj', content: 'id', status: true });
console.log(JSON.stringify({ label: dataset.label, kind: dataset.class, ids: dataset.id, roles: dataset.role, cells }));
