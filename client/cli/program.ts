/** The commands, their arguments and options, and what `--help` says of them. What they do stands in space-commands.ts and serve.ts. */
import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { addresses, duration, order, positiveNumber, wholeNumber } from './option-values.js';
import { serve } from './serve.js';
import { count, out, outMany, scan, takeMany, waitOrLook } from './space-commands.js';
import { bareWords } from './template-text.js';
import { defaultUrl } from './with-client.js';

type Work = (...given: never[]) => Promise<number>;

const { version } = createRequire(import.meta.url)('tuplet/package.json') as { version: string };

const help = `
Tuples are JSON arrays. Templates are JSON arrays of patterns, with bare words for formals:
  ${Object.keys(bareWords).join(' ')}
and formals as JSON: {"$gt": 5}, {"$oneOf": ["a", "b"]}, {"$prefix": "x"}, {"$anyOf": [template, …]}, …
Durations are 250 or 250ms, 30s, 5m, 2h, 1d.

Results are JSON lines on stdout, messages go to stderr. Exit status:
  0    done
  1    no match, or none in time; out --unless found something
  2    usage: an argument, tuple or template that cannot be meant
  3    the server: not reached, lost, refused, failed; or stdout failed
  130  interrupted (143 by SIGTERM); a command that waits has taken nothing

Examples:
  tuplet serve --store sqlite:jobs.db
  tuplet out jobs '["todo", 1, "water the plants"]'
  tuplet in jobs '["todo", number, any]' --timeout 30s
  tuplet take jobs '["todo", {"$gte": 10}, rest]' --order 1:desc --entry
  tuplet out jobs - < jobs.jsonl
  tuplet scan jobs | head -1
`;

/** The program; `ended` hears the status of the command that ran. Parsing throws commander's errors. */
export function buildProgram(ended: (status: number) => void): Command {
  const program = new Command('tuplet')
    .description('Tuples in named spaces: a server, and commands that put, read and take.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tuplet: ')) })
    .addHelpText('after', help);

  const run = (work: Work) => async (...given: unknown[]) => ended(await work(...(given as never[])));

  addServe(program, run(serve));
  addPuts(program, run);
  for (const [op, description] of waitsAndLooks) {
    const removes = op === 'in' || op === 'take';
    const waits = op === 'in' || op === 'rd';
    const timeout = waits ? 'how long it waits (default: for ever)' : 'how long it waits (default: not at all)';
    onSpace(program, op, description)
      .argument('<template>', `which tuple to ${removes ? 'take' : 'read'}`)
      .option('--timeout <duration>', timeout, duration)
      .option('--order <order>', 'oldest, newest, or FIELD[:asc|desc], fields from 0 (default: oldest)', order)
      .option('--entry', 'print the entry: the tuple with its id, position and times')
      .action(run(waitOrLook(op)));
  }
  addMany(program, run);
  return program;
}

const waitsAndLooks = [
  ['in', 'wait for a match, remove it, print it'],
  ['rd', 'wait for a match, leave it, print it'],
  ['take', 'remove a match, if there is one, and print it'],
  ['read', 'print a match, if there is one, and leave it'],
] as const;

function addServe(program: Command, run: (...given: unknown[]) => Promise<void>): void {
  program
    .command('serve')
    .description('run a server until SIGTERM or SIGINT; prints one line with its address when it is ready')
    .option('--store <url>', 'sqlite:FILE or memory: (default: sqlite:tuplet.db)')
    .option('--host <host>', 'where to listen (default: 127.0.0.1, this machine only)')
    .option('--port <number>', 'where to listen; 0 takes a free port (default: 7070)', wholeNumber)
    .option('--token <token>', 'what clients must show')
    .option('--config <file>', 'a JSON file with any of store, host, port, token, log')
    .option('--log', 'write requests and faults as JSON lines to stderr')
    .addHelpText(
      'after',
      '\nEnvironment: TUPLET_STORE, TUPLET_HOST, TUPLET_PORT, TUPLET_TOKEN, TUPLET_CONFIG, TUPLET_LOG.' +
        '\nOptions win over the environment, which wins over the file.',
    )
    .action(run);
}

function addPuts(program: Command, run: (work: Work) => (...given: unknown[]) => Promise<void>): void {
  onSpace(program, 'out', 'put a tuple, print its id and position')
    .argument('<tuple>', 'a JSON array; - reads many from stdin, one in a line, and prints their number')
    .option('--ttl <duration>', 'it ends so long after it became visible', duration)
    .option('--delay <duration>', 'it becomes visible so much later', duration)
    .option('--unless <template>', 'only if nothing matches; else print what does, with status 1')
    .action(run(out));
  onSpace(program, 'outMany', 'put many tuples, all or none, print their ids')
    .argument('<tuples>', 'a JSON array of tuples')
    .option('--ttl <duration>', 'they end so long after they became visible', duration)
    .option('--delay <duration>', 'they become visible so much later', duration)
    .action(run(outMany));
}

function addMany(program: Command, run: (work: Work) => (...given: unknown[]) => Promise<void>): void {
  onSpace(program, 'takeMany', 'remove the oldest matches and print them')
    .argument('<template>', 'which tuples to take')
    .option('--limit <number>', 'how many at most (default: 100)', positiveNumber)
    .option('--timeout <duration>', 'how long it waits for the first (default: not at all)', duration)
    .action(run(takeMany));
  onSpace(program, 'scan', 'print all matches, oldest first')
    .argument('[template]', 'which tuples to print (default: all)')
    .option('--limit <number>', 'how many at most', positiveNumber)
    .option('--after <position>', 'only what has a higher position', wholeNumber)
    .option('--entry', 'print entries: tuples with their id, position and times')
    .action(run(scan));
  onSpace(program, 'count', 'print how many tuples match')
    .argument('[template]', 'which tuples to count (default: all)')
    .action(run(count));
}

/** A command on a space of a server. */
const onSpace = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .addOption(
      new Option('--url <address>', `server; several are tried in turn (default: ${defaultUrl})`)
        .argParser(addresses)
        .env('TUPLET_URL'),
    )
    .addOption(new Option('--token <token>', 'what the server wants to see').env('TUPLET_TOKEN'))
    .argument('<space>', 'name of the space');
