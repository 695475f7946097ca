/** The browser's door, bundled as a page would, in a world that has no Node: only what browsers have. */
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer } from '../../server/server.js';

async function bundle(): Promise<{ code: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: "import * as tuplet from './client/index.ts'; globalThis.tuplet = tuplet;",
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
  });
  return { code: outputFiles[0]?.text ?? '', inputs: Object.keys(metafile.inputs) };
}

test('the bundle has no server in it, and is small', async () => {
  const { code, inputs } = await bundle();
  expect(inputs.filter(file => /^server\/|sqlite|ajv|node_modules\/ws/.test(file))).toEqual([]);
  expect(code.length).toBeLessThan(40_000);
});

test('the bundle talks to a server', async () => {
  const server = await startServer({ store: 'memory:', port: 0 });
  try {
    const page: Record<string, unknown> = {
      ...{
        WebSocket,
        TextEncoder,
        URL,
        AbortController,
        AbortSignal,
        performance,
        setTimeout,
        clearTimeout,
        queueMicrotask,
      },
      answer: undefined,
    };
    page.globalThis = page;
    const { code } = await bundle();
    runInNewContext(code, page);
    await runInNewContext(
      `(async () => {
        const client = await tuplet.connect('${server.url}');
        const jobs = client.space('jobs');
        const waiting = jobs.in(['job', Number, tuplet.any]);
        await jobs.out(['job', 1, { from: 'page' }]);
        globalThis.answer = JSON.stringify(await waiting);
        await client.close();
      })()`,
      page,
    );
    expect(page.answer).toBe('["job",1,{"from":"page"}]');
  } finally {
    await server.close();
  }
});
