#!/usr/bin/env node
/** The command `tuplet`: runs what program.ts describes, and turns how it ended into an exit status (status.ts). */
import { say } from './output.js';
import { buildProgram } from './program.js';
import { endingOf, status } from './status.js';

// Who wrote hears of it from `print`; what is said to a closed stderr is said to nobody.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

async function run(): Promise<number> {
  let ended: number = status.ok;
  try {
    await buildProgram(outcome => {
      ended = outcome;
    }).parseAsync();
    return ended;
  } catch (error) {
    const { status, message } = endingOf(error);
    if (message !== undefined) say(message);
    return status;
  }
}

// Everything has been written: `print` waits for it, and a stdin that goes on must not keep the process.
process.exit(await run());
