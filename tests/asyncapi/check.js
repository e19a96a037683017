// Parses an AsyncAPI document and prints what the parser has to say about it, as JSON.
import { Parser, fromFile } from '@asyncapi/parser';

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const findings = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path: path.join('.') }));
const channels = document ? document.channels().all().map((channel) => channel.address()) : [];
const messages = document ? document.messages().all().map((message) => message.id()) : [];
console.log(JSON.stringify({ valid: document !== undefined, findings, channels, messages }));
