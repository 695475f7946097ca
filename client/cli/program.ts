/** The commands, their arguments and options, and what `--help` says of them. What they do stands in space-commands.ts and serve.ts. */
import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { addresses, duration, order, positiveNumber, wholeNumber } from './option-values.js';
import { say } from './output.js';
import { serve } from './serve.js';
import { count, out, outMany, scan, takeMany, waitOrLook, watch } from './space-commands.js';
import { endingOf, status } from './status.js';
import { bareWords } from './template-text.js';
import { defaultUrl } from './with-client.js';

/** Makes an action of what gives a status. */
type Action = (work: (...given: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>;

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

/** Runs a command line, without the names of node and program, and gives the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  let ended: number = status.ok;
  const program = buildProgram(outcome => {
    ended = outcome;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return ended;
  } catch (error) {
    const { status, message } = endingOf(error);
    if (message !== undefined) say(message);
    return status;
  }
}

function buildProgram(ended: (status: number) => void): Command {
  const program = new Command('tuplet')
    .description('Tuples in named spaces: a server, and commands that put, read and take.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tuplet: ')) })
    .addHelpText('after', help);
  const action: Action =
    work =>
    async (...given) =>
      ended(await work(...(given as never[])));
  addServe(program, action);
  addPuts(program, action);
  for (const [op, description] of waitsAndLooks) addWaitOrLook(program, action, op, description);
  addMany(program, action);
  return program;
}

const waitsAndLooks = [
  ['in', 'wait for a match, remove it, print it'],
  ['rd', 'wait for a match, leave it, print it'],
  ['take', 'remove a match, if there is one, and print it'],
  ['read', 'print a match, if there is one, and leave it'],
] as const;

function addWaitOrLook(
  program: Command,
  action: Action,
  op: (typeof waitsAndLooks)[number][0],
  description: string,
): void {
  const otherwise = op === 'in' || op === 'rd' ? 'for ever' : 'not at all';
  onSpace(program, op, description)
    .argument('<template>', `which tuple to ${op === 'in' || op === 'take' ? 'take' : 'read'}`)
    .option('--timeout <duration>', `how long it waits (default: ${otherwise})`, duration)
    .option('--order <order>', 'oldest, newest, or FIELD[:asc|desc], fields from 0 (default: oldest)', order)
    .option('--entry', 'print the entry: the tuple with its id, position and times')
    .action(action(waitOrLook(op)));
}

function addServe(program: Command, action: Action): void {
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
    .action(action(serve));
}

function addPuts(program: Command, action: Action): void {
  onSpace(program, 'out', 'put a tuple, print its id and position')
    .argument('<tuple>', 'a JSON array; - reads many from stdin, one in a line, and prints their number')
    .option('--ttl <duration>', 'it ends so long after it became visible', duration)
    .option('--delay <duration>', 'it becomes visible so much later', duration)
    .option('--unless <template>', 'only if nothing matches; else print what does, with status 1')
    .action(action(out));
  onSpace(program, 'outMany', 'put many tuples, all or none, print their ids')
    .argument('<tuples>', 'a JSON array of tuples')
    .option('--ttl <duration>', 'they end so long after they became visible', duration)
    .option('--delay <duration>', 'they become visible so much later', duration)
    .action(action(outMany));
}

function addMany(program: Command, action: Action): void {
  onSpace(program, 'takeMany', 'remove the oldest matches and print them')
    .argument('<template>', 'which tuples to take')
    .option('--limit <number>', 'how many at most (default: 100)', positiveNumber)
    .option('--timeout <duration>', 'how long it waits for the first (default: not at all)', duration)
    .action(action(takeMany));
  onSpace(program, 'scan', 'print all matches, oldest first')
    .argument('[template]', 'which tuples to print (default: all)')
    .option('--limit <number>', 'how many at most', positiveNumber)
    .option('--after <position>', 'only what has a higher position', wholeNumber)
    .option('--entry', 'print entries: tuples with their id, position and times')
    .action(action(scan));
  onSpace(program, 'watch', 'print what happens to matches, as it happens: {event, type, entry}')
    .argument('[template]', 'which tuples to watch (default: all)')
    .option('--after <event>', 'go on behind this event', wholeNumber)
    .action(action(watch));
  onSpace(program, 'count', 'print how many tuples match')
    .argument('[template]', 'which tuples to count (default: all)')
    .action(action(count));
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
