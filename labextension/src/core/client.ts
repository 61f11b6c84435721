/** The REST side of the contract, with typed answers. */

import type {
  About,
  Code,
  CodeDiff,
  CodeText,
  Comparison,
  Experiments,
  Fault,
  Files,
  Found,
  Groups,
  LogMatches,
  LogPart,
  Metrics,
  Preview,
  RunChanges,
  RunDocument,
  Runs,
  Submitted,
  Workspaces
} from './contract';
import { decodeFrames, type SeriesFrame } from './frames';
import type { Host } from './host';
import { noteDate } from './server_clock';

/** What the server could not do. */
export class ServerFault extends Error {
  override readonly name = 'ServerFault';

  /** @param status 0 if there was no answer. */
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string | null
  ) {
    super(message);
  }
}

/** When it is asked again whether a server that could not be reached is there. */
export const RETRY_MS = 5000;

/** Whether nobody answered, or a proxy for them: the same may be answered a moment later. */
export function isAway(error: unknown): boolean {
  return error instanceof ServerFault && AWAY.has(error.status);
}

const AWAY = new Set([0, 502, 503, 504]);

export type Values = Record<string, string | number | boolean | readonly string[] | null | undefined>;

export interface SeriesQuestion {
  names: readonly string[];
  axis?: 'step' | 'time';
  low?: number;
  high?: number;
  points?: number;
  system?: boolean;
}

export type Direction = 'forward' | 'backward';

export class Client {
  constructor(private readonly host: Host) {}

  about(): Promise<About> {
    return this.get('about');
  }

  workspaces(folder?: string): Promise<Workspaces> {
    return this.get(`workspaces${query({ folder })}`);
  }

  find(run: string, folder?: string): Promise<Found> {
    return this.get(`find${query({ run, folder })}`);
  }

  experiments(workspace: string): Promise<Experiments> {
    return this.get(path`w/${workspace}/experiments`);
  }

  runs(workspace: string, asked: Values): Promise<Runs> {
    return this.get(path`w/${workspace}/runs` + query(asked));
  }

  groups(workspace: string, asked: Values): Promise<Groups> {
    return this.get(path`w/${workspace}/groups` + query(asked));
  }

  compare(workspace: string, runs: readonly string[]): Promise<Comparison> {
    return this.get(path`w/${workspace}/compare` + query({ run: runs }));
  }

  run(workspace: string, run: string): Promise<RunDocument> {
    return this.get(path`w/${workspace}/runs/${run}`);
  }

  metrics(workspace: string, run: string): Promise<Metrics> {
    return this.get(path`w/${workspace}/runs/${run}/metrics`);
  }

  /** Frames whose `metric` is a position in `names`. */
  async series(workspace: string, run: string, asked: SeriesQuestion): Promise<SeriesFrame[]> {
    const { names, axis, low, high, points, system } = asked;
    const values = { name: names, axis, low, high, points, system: system ? 1 : undefined };
    const answer = await this.ask(path`w/${workspace}/runs/${run}/series` + query(values));
    return decodeFrames(await answer.arrayBuffer());
  }

  log(
    workspace: string,
    run: string,
    asked: { file?: string; from: number; bytes: number; direction: Direction }
  ): Promise<LogPart> {
    return this.get(path`w/${workspace}/runs/${run}/log` + query(asked));
  }

  searchLog(
    workspace: string,
    run: string,
    asked: { file?: string; text: string; from: number; direction: Direction; limit: number }
  ): Promise<LogMatches> {
    return this.get(path`w/${workspace}/runs/${run}/log/search` + query(asked));
  }

  files(workspace: string, run: string): Promise<Files> {
    return this.get(path`w/${workspace}/runs/${run}/files`);
  }

  preview(workspace: string, run: string, name: string): Promise<Preview> {
    return this.get(path`w/${workspace}/runs/${run}/preview` + query({ name }));
  }

  /** Address of a file itself; pictures may be shown inline. */
  fileAddress(workspace: string, run: string, name: string, inline = false): string {
    return this.host.base + path`w/${workspace}/runs/${run}/download` + query({ name, inline: inline ? 1 : undefined });
  }

  /** A file itself, where it has no address. */
  async file(workspace: string, run: string, name: string): Promise<Blob> {
    return (await this.ask(path`w/${workspace}/runs/${run}/download` + query({ name }))).blob();
  }

  code(workspace: string, run: string): Promise<Code> {
    return this.get(path`w/${workspace}/runs/${run}/code`);
  }

  codeText(workspace: string, run: string, file: string): Promise<CodeText> {
    return this.get(path`w/${workspace}/runs/${run}/code/text` + query({ path: file }));
  }

  /** @param against `present`, or the id of another run. */
  codeDiff(workspace: string, run: string, against: string, file?: string): Promise<CodeDiff> {
    return this.get(path`w/${workspace}/runs/${run}/code/diff` + query({ against, path: file }));
  }

  cancel(workspace: string, run: string): Promise<RunDocument> {
    return this.send('POST', path`w/${workspace}/runs/${run}/cancel`);
  }

  resubmit(workspace: string, run: string): Promise<Submitted> {
    return this.send('POST', path`w/${workspace}/runs/${run}/resubmit`);
  }

  change(workspace: string, run: string, changes: RunChanges): Promise<RunDocument> {
    return this.send('PATCH', path`w/${workspace}/runs/${run}`, changes);
  }

  /** @param children Whether its children go too; a run that has some is not removed without them. */
  async remove(workspace: string, run: string, children = false): Promise<void> {
    await this.ask(path`w/${workspace}/runs/${run}` + query({ children: children ? 1 : undefined }), {
      method: 'DELETE'
    });
  }

  /** Ask for any answer in JSON. */
  async get<T>(where: string): Promise<T> {
    return (await (await this.ask(where)).json()) as T;
  }

  /** Send JSON, get JSON. */
  async send<T>(method: 'POST' | 'PATCH', where: string, body: object = {}): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    return (await (await this.ask(where, { method, headers, body: JSON.stringify(body) })).json()) as T;
  }

  private async ask(where: string, init?: RequestInit): Promise<Response> {
    let answer: Response;
    try {
      answer = await this.host.fetch(where, init);
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      throw new ServerFault(
        0,
        `the server does not answer (${told})`,
        init?.method === undefined ? 'see that it runs; this page tries again by itself' : 'see that it runs'
      );
    }
    noteDate(answer.headers.get('Date'));
    if (!answer.ok) {
      throw await faultOf(answer);
    }
    return answer;
  }
}

/** What to show of anything that was thrown. */
export function toldFault(error: unknown): Fault {
  if (error instanceof ServerFault) {
    return { message: error.message, hint: error.hint };
  }
  return { message: error instanceof Error ? error.message : String(error), hint: null };
}

async function faultOf(answer: Response): Promise<ServerFault> {
  try {
    const told = (await answer.json()) as Partial<Fault>;
    if (typeof told.message === 'string' && told.message) {
      return new ServerFault(answer.status, told.message, told.hint ?? null);
    }
  } catch {
    // no JSON: a proxy between here and the server spoke
  }
  const hint = answer.status === 403 || answer.status === 401 ? 'log in again: reload the page' : null;
  return new ServerFault(answer.status, `the server answered ${answer.status} ${answer.statusText}`.trim(), hint);
}

/** A path whose values cannot leave their place. */
function path(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

function query(values: Values): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined) {
      continue;
    }
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return text && `?${text}`;
}
