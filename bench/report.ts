/** The figures of a run as Markdown. */
import { cpus, totalmem } from 'node:os';
import { type Figure, median, type Workload } from './measure.js';

export interface Ran {
  readonly workload: Workload;
  readonly figures: readonly Figure[];
}

export function report(ran: readonly Ran[], repetitions: number): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `Machine: ${processors[0]?.model ?? 'unknown'}, ${processors.length} cores, ${memory} GiB; ${process.platform}, Node ${process.version}.`,
    `Medians of ${repetitions} repetitions (least to most). Server and clients are two processes on this machine; SQLite, every answer durable.`,
    '',
    '| workload | figure | median | range | required |',
    '| --- | --- | ---: | ---: | --- |',
    ...ran.flatMap(({ workload, figures }) => figures.map(figure => row(workload.name, figure))),
    '',
    ...ran.map(({ workload }) => `- ${workload.name}: ${workload.about}`),
    '',
  ].join('\n');
}

function row(name: string, figure: Figure): string {
  const { what, unit, samples } = figure;
  const range = `${number(Math.min(...samples))} – ${number(Math.max(...samples))}`;
  const middle = `${number(median(samples))}${unit === '' ? '' : ` ${unit}`}`;
  return `| ${name} | ${what} | ${middle} | ${range} | ${requirement(figure)} |`;
}

function requirement({ required, samples }: Figure): string {
  if (!required) return '';
  const value = median(samples);
  const [text, met] =
    'least' in required
      ? [`at least ${number(required.least)}`, value >= required.least]
      : [`at most ${number(required.most)}`, value <= required.most];
  return `${text}: ${met ? 'met' : '**not met**'}`;
}

/** Three digits that say something. */
const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
