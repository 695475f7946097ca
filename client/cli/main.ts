#!/usr/bin/env node
/** The command `tuplet`. What it can do stands in program.ts, how it ends in status.ts. */
import { run } from './program.js';

// Who writes hears of it from `print`; what is said to a closed stderr is said to nobody.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

// All has been written: `print` waits for it. A stdin that goes on must not keep the process.
process.exit(await run(process.argv.slice(2)));
