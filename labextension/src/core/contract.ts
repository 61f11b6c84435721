/**
 * What the server and the pages say to each other: shapes of the REST answers and of the stream's messages.
 *
 * The server's side is amlnb/server/ (its OpenAPI document is made from the same table as its handlers); docs/server.md tells
 * the rules. Times are Unix seconds. A number that JSON does not have stands as text: "NaN", "Infinity", "-Infinity".
 */

/** A number as JSON has it; see `toNumber` in format.ts. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export type RunState =
  | 'NotStarted'
  | 'Preparing'
  | 'Queued'
  | 'Provisioning'
  | 'Starting'
  | 'Running'
  | 'Finalizing'
  | 'Completed'
  | 'Failed'
  | 'Canceled'
  | 'CancelRequested'
  | 'NotResponding';

export const ENDS: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Canceled']);

/** Body of every answer that is an error (status 400 and above). */
export interface Fault {
  message: string;
  hint: string | null;
}

/** GET about */
export interface About {
  version: string;
  /** Whether this server acts (cancel, tag, ...); the studio only reads. */
  acts: boolean;
  /** Address of the page of a workspace's runs, under the base URL; ends with "/". */
  page: string;
}

/** GET workspaces?folder= */
export interface Workspaces {
  workspaces: WorkspaceInfo[];
}

export interface WorkspaceInfo {
  /** Short name in addresses. */
  key: string;
  name: string;
  /** Absolute path of its data directory. */
  path: string;
  /** The one that a notebook in `folder` submits to. */
  current: boolean;
}

/** GET find?run=&folder= : the workspace that holds a run (404 if none of those known does). */
export interface Found {
  workspace: WorkspaceInfo;
}

/** GET w/{workspace}/experiments */
export interface Experiments {
  experiments: ExperimentInfo[];
}

export interface ExperimentInfo {
  name: string;
  runs: number;
  running: number;
  /** When its newest run was made. */
  newest: number | null;
}

export interface MetricSummary {
  count: number;
  last: JsonNumber;
  /** Of the finite points. */
  min: JsonNumber;
  max: JsonNumber;
}

/** A run as a row of a table. */
export interface RunRow {
  id: string;
  experiment: string;
  /** Position within the experiment, from 1. */
  number: number;
  name: string | null;
  type: string | null;
  state: RunState;
  target: string;
  parent: string | null;
  created: number;
  started: number | null;
  ended: number | null;
  /** Seconds since the start, until the end; null before the start. */
  elapsed_s: number | null;
  archived: boolean;
  script: string | null;
  /** Why a failed run failed, in a sentence. */
  error: string | null;
  parameters: Record<string, string>;
  tags: Record<string, string | null>;
  /** In the order of first use. */
  metrics: Record<string, MetricSummary>;
}

/**
 * GET w/{workspace}/runs?experiment=&parent=&query=&search=&sort=&descending=&archived=&offset=&limit=
 *
 * `query` is typed (`lr < 0.01 and state == "Completed"`), `search` any text; `sort` a column: `created`, `number`, `elapsed`,
 * `state`, `name`, `experiment`, `target`, `parameters.NAME`, `metrics.NAME`, `tags.NAME`.
 */
export interface Runs {
  runs: RunRow[];
  /** How many match. */
  total: number;
  /** Run directories that cannot be read. */
  unreadable: number;
  /** Names among all that match, for the choice of columns; each at most 300. */
  columns: { parameters: string[]; metrics: string[]; tags: string[] };
  /** Best value of each metric among all that match, by which way is better (null: not known). */
  best: Record<string, { direction: 'min' | 'max' | null; value: JsonNumber | null; run: string | null }>;
}

/** GET w/{workspace}/groups?by=parameters.lr&experiment=&query=&search=&archived= */
export interface Groups {
  by: string;
  groups: {
    value: string | null;
    runs: number;
    ids: string[];
    metrics: Record<string, { count: number; mean: JsonNumber; low: JsonNumber; high: JsonNumber }>;
  }[];
}

export interface Progress {
  done: number;
  total: number;
  text: string | null;
  left_s: number | null;
}

/** One frame of a failure, the person's own code first. */
export interface FailureFrame {
  file: string;
  line: number | null;
  function: string;
  code: string;
  locals: { name: string; type: string; value: string }[];
}

/** GET w/{workspace}/runs/{run}, and what the stream tells whenever it changes. */
export interface RunDocument extends RunRow {
  attempt: number;
  reason: string | null;
  warnings: string[];
  failure: {
    code: string | null;
    message: string;
    hint: string | null;
    details: string | null;
    frames: FailureFrame[];
  } | null;
  progress: Progress | null;
  properties: Record<string, string>;
  git: Record<string, string>;
  environment: Record<string, string>;
  /** Command line or script with its arguments, as text. */
  command: string | null;
  host: string | null;
  children: number;
  /** The log that is shown first, and its size. */
  log: { file: string; bytes: number };
  /** What can be done with it here and now. */
  can: ('cancel' | 'resubmit' | 'rename' | 'tag' | 'archive' | 'delete')[];
}

/** GET w/{workspace}/runs/{run}/metrics */
export interface Metrics {
  metrics: Record<string, MetricSummary>;
  /** What the runner sampled of the machine; units stand in the names. */
  system: Record<string, MetricSummary>;
  /** Logged values that are no curve. */
  logged: LoggedValue[];
}

export type LoggedValue =
  | { name: string; kind: 'text'; values: string[] }
  | { name: string; kind: 'table'; columns: string[]; rows: string[][]; truncated: boolean }
  | { name: string; kind: 'image'; file: string };

/**
 * GET w/{workspace}/runs/{run}/series?name=A&name=B&axis=step|time&low=&high=&points=&system=1 : frames (frames.ts), one a name.
 *
 * Each frame's `metric` is the position of its name in the question; at most `points` (2,000) points of it. `low` and `high`, on
 * `axis`, ask for a part: what lies within, and the nearest point beyond either end. `system=1`: names of what was sampled of
 * the machine. A point without a step has its position in the series as step.
 */

/**
 * GET w/{workspace}/runs/{run}/log?file=&from=&bytes=&direction=forward|backward
 *
 * Whole lines as a terminal would show them, read forward from the line that holds byte `from`, or backward up to it.
 */
export interface LogPart {
  file: string;
  /** Bytes of the whole file. */
  size: number;
  /** Bytes that these lines cover: [from, to). */
  from: number;
  to: number;
  lines: LogLine[];
}

export interface LogLine {
  /** Byte offset of its beginning. */
  at: number;
  text: string;
  /** [begin, end, style] of what is not plain. */
  styles: [number, number, LogStyle][];
}

export interface LogStyle {
  /** One of the terminal's 16, or red, green, blue. */
  colour?: number | [number, number, number];
  ground?: number | [number, number, number];
  bold?: true;
  dim?: true;
  italic?: true;
  underline?: true;
  inverse?: true;
}

/** GET w/{workspace}/runs/{run}/log/search?file=&text=&from=&direction=&limit= */
export interface LogMatches {
  matches: { at: number; line: LogLine }[];
  /** Where to go on: the search stops after so many bytes or matches; null at the end. */
  next: number | null;
}

/** GET w/{workspace}/runs/{run}/files */
export interface Files {
  files: { name: string; bytes: number; modified: number }[];
  /** What is not among them, and why. */
  warnings: string[];
}

/** GET w/{workspace}/runs/{run}/preview?name= ; the file itself: GET .../download?name= (as an attachment; &inline=1 for pictures) */
export type Preview =
  | { kind: 'image'; bytes: number }
  | { kind: 'table'; columns: string[]; rows: string[][]; truncated: boolean; note: string | null }
  | { kind: 'text'; text: string; truncated: boolean }
  | { kind: 'none'; note: string };

/** GET w/{workspace}/runs/{run}/code */
export interface Code {
  files: { path: string; bytes: number }[];
  /** The script or notebook that was started. */
  entry: string | null;
  /** Why there is nothing to see; empty if there is. */
  unknown: string;
}

/** GET w/{workspace}/runs/{run}/code/text?path= */
export interface CodeText {
  path: string;
  text: string;
  truncated: boolean;
}

/** GET w/{workspace}/runs/{run}/code/diff?path=&against=present|RUN ; `path` left out: all that differs. */
export interface CodeDiff {
  files: { path: string; diff: string[]; note: string }[];
  same: number;
  unknown: string;
}

/** GET w/{workspace}/compare?run=A&run=B... : 2 to 50 runs, in the order that was asked for. */
export interface Comparison {
  runs: (RunRow & { label: string; environment: Record<string, string>; git: Record<string, string> })[];
}

/** GET w/{workspace}/runs/{run}/outputs : the two outputs of a saved notebook, as nbformat has them. */
export interface Outputs {
  picture: { data: Record<string, unknown>; metadata: Record<string, unknown> };
  details: { data: Record<string, unknown>; metadata: Record<string, unknown> };
}

/** POST w/{workspace}/runs/{run}/cancel, PATCH w/{workspace}/runs/{run} answer with the RunDocument; DELETE with 204. */
export interface RunChanges {
  name?: string | null;
  archived?: boolean;
  /** Tags to set; null is a tag without a value. The others stay. */
  tags?: Record<string, string | null>;
  remove_tags?: string[];
}

/** POST w/{workspace}/runs/{run}/resubmit, POST submissions */
export interface Submitted {
  run: string;
  experiment: string;
  workspace: string;
}

/** POST submissions : a script or notebook below the server's root. */
export interface Submission {
  path: string;
  target?: string;
  environment?: string;
  experiment?: string;
  /** Of a notebook. */
  parameters?: Record<string, string>;
  /** Of a script, as they are typed after its name. */
  arguments?: string;
}

/** GET parameters?path= : what the notebook's cell tagged "parameters" (papermill) sets. */
export interface NotebookParameters {
  parameters: { name: string; value: string; type: string | null; help: string | null }[];
}

/** GET choices?folder= : what may stand in the form of a submission. */
export interface Choices {
  targets: { name: string; type: string }[];
  environments: string[];
  experiments: string[];
}

// ---------------------------------------------------------------- the stream: one WebSocket a page, at `stream`

export type StreamRequest =
  /** Follow a run. `have`: points that the page holds of each metric from before a break; nothing of it is sent again. */
  | { op: 'subscribe'; sub: number; workspace: string; run: string; points: number; have?: Record<string, number> }
  /** Follow the runs of a workspace: which of them changed. */
  | { op: 'watch'; sub: number; workspace: string }
  | { op: 'unsubscribe'; sub: number };

/** Text messages; what grows comes as binary frames (frames.ts). */
export type StreamMessage =
  /** The run as it is now: at once, and whenever anything but its points and log has changed. */
  | { t: 'run'; sub: number; run: RunDocument }
  /** Names of the metrics; a frame names one by its position here. Told again, longer, when new ones appear. */
  | { t: 'metrics'; sub: number; names: string[] }
  /** The log has grown. */
  | { t: 'log'; sub: number; file: string; bytes: number }
  /** What was sent of this subscription is void (a file was replaced): all of it follows anew. */
  | { t: 'reset'; sub: number }
  /** Runs that are new or have changed; ids of those that are gone. The first one, empty, says that the watch has begun. */
  | { t: 'runs'; sub: number; changed: RunRow[]; removed: string[]; running: number }
  /** This subscription has ended: the run is gone or cannot be read. */
  | { t: 'gone'; sub: number; message: string; hint: string | null }
  /** A request that cannot be taken; the connection stays. */
  | { t: 'error'; sub: number | null; message: string; hint: string | null };
